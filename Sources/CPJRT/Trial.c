#define _GNU_SOURCE
#include "CPJRT.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef PJRTError *Function(void *arguments);

static Function *function_at(const PJRTTable *table, size_t slot) {
  const size_t offset = sizeof(PJRTTable) + slot * sizeof(Function *);
  if (offset + sizeof(Function *) > table->struct_size) return NULL;
  Function *function;
  memcpy(&function, (const char *)table + offset, sizeof function);
  return function;
}

// Gives a block its size and calls the function; true where it answered without an error.
static bool call(const PJRTTable *table, size_t slot, PJRTRoom *room, size_t size) {
  Function *function = function_at(table, slot);
  if (!function) return false;
  room->words[0] = size;
  return function(room) == NULL;
}

#define CALL(table, name, room) call(table, name##Slot, room, name##Size)

static PJRTNamedValue string_value(const char *name, const char *value) {
  PJRTNamedValue named = {.struct_size = PJRTNamedValueSize, .type = PJRTNamedValueString};
  named.name = name;
  named.name_size = strlen(name);
  named.string_value = value;
  named.value_size = strlen(value);
  return named;
}

// One replica, one partition: see CompileOptions.swift.
static const char compile_options[] = {0x1a, 4, 0x20, 1, 0x28, 1};

static void compile_on_client(const PJRTTable *table, PJRTProgram *program) {
  PJRTRoom room = {0};
  PJRTClientCreate *create = (PJRTClientCreate *)&room;
  // The trial must not take most of a GPU's memory; plugins without the option ignore or refuse it.
  PJRTNamedValue preallocate = {
      .struct_size = PJRTNamedValueSize, .name = "preallocate", .name_size = 11,
      .type = PJRTNamedValueBool, .bool_value = false, .value_size = 1};
  create->create_options = &preallocate;
  create->num_options = 1;
  if (!CALL(table, PJRTClientCreate, &room)) {
    memset(&room, 0, sizeof room);
    if (!CALL(table, PJRTClientCreate, &room)) return;
  }
  PJRTRoom compile_room = {0};
  PJRTClientCompile *compile = (PJRTClientCompile *)&compile_room;
  compile->client = create->client;
  compile->program = program;
  compile->compile_options = compile_options;
  compile->compile_options_size = sizeof compile_options;
  CALL(table, PJRTClientCompile, &compile_room);
}

static void compile_for_target(const PJRTTable *table, const char *config, PJRTProgram *program) {
  PJRTNamedValue options[] = {
      string_value("target_config", config), string_value("topology", "1x1x1")};
  PJRTRoom room = {0};
  PJRTTopologyDescriptionCreate *create = (PJRTTopologyDescriptionCreate *)&room;
  create->topology_name = "";
  create->create_options = options;
  create->num_options = 2;
  if (!CALL(table, PJRTTopologyDescriptionCreate, &room)) return;
  PJRTRoom compile_room = {0};
  PJRTCompile *compile = (PJRTCompile *)&compile_room;
  compile->topology = create->topology;
  compile->program = program;
  compile->compile_options = compile_options;
  compile->compile_options_size = sizeof compile_options;
  CALL(table, PJRTCompile, &compile_room);
}

// The child: dies on the way, or writes a byte to `survived` and ends.
static void use_plugin(
    const PJRTTable *table, const char *flags, const char *target_config, const char *text,
    int survived, int errors) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) signal(fatal[i], SIG_DFL);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  dup2(errors, STDERR_FILENO);
  dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
  if (flags) setenv("XLA_FLAGS", flags, 1);

  PJRTProgram program = {.struct_size = PJRTProgramSize, .format = "mlir", .format_size = 4};
  program.code = (char *)text;
  program.code_size = strlen(text);
  if (target_config) {
    compile_for_target(table, target_config, &program);
  } else {
    compile_on_client(table, &program);
  }
  const ssize_t written = write(survived, "", 1);
  (void)written;
  _exit(0);
}

static int64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)1000 + now.tv_nsec / 1000000;
}

// Reads what a pipe has into the room left in a text, or past it; false at the pipe's end.
static bool read_some(int descriptor, char *text, size_t *length, size_t capacity) {
  char beyond[4096];
  const bool has_room = *length < capacity;
  char *place = has_room ? text + *length : beyond;
  const ssize_t count = read(descriptor, place, has_room ? capacity - *length : sizeof beyond);
  if (count > 0 && has_room) *length += (size_t)count;
  return count > 0 || (count < 0 && errno == EINTR);
}

// Waits for the child's end or byte; true in time.
static bool wait_for_end(
    int survived, int errors, int seconds, bool *has_survived, char *messages, size_t size) {
  const int64_t deadline = milliseconds() + seconds * (int64_t)1000;
  size_t length = 0, count = 0;
  char mark[1];
  struct pollfd pipes[] = {{survived, POLLIN, 0}, {errors, POLLIN, 0}};
  while (pipes[0].fd >= 0) {
    const int64_t left = deadline - milliseconds();
    if (left <= 0) return false;
    if (poll(pipes, 2, (int)left) < 0 && errno != EINTR) return false;
    if (pipes[1].revents && !read_some(errors, messages, &length, size - 1)) pipes[1].fd = -1;
    messages[length] = 0;
    if (pipes[0].revents) {
      read_some(survived, mark, &count, sizeof mark);
      *has_survived = count > 0;
      pipes[0].fd = -1;
    }
  }
  // What a dying child said may still be in the pipe.
  struct pollfd rest = {errors, POLLIN, 0};
  while (!*has_survived && poll(&rest, 1, 0) > 0) {
    if (!read_some(errors, messages, &length, size - 1)) break;
    messages[length] = 0;
  }
  return true;
}

int PJRTTrial(
    const PJRTTable *table, const char *flags, const char *target_config, const char *program,
    int seconds, char *messages, size_t messages_size) {
  int survived[2], errors[2];
  messages[0] = 0;
  if (pipe2(survived, O_CLOEXEC) != 0) return PJRTTrialNotStarted;
  if (pipe2(errors, O_CLOEXEC) != 0) {
    close(survived[0]);
    close(survived[1]);
    return PJRTTrialNotStarted;
  }
  const pid_t child = fork();
  if (child == 0) use_plugin(table, flags, target_config, program, survived[1], errors[1]);
  close(survived[1]);
  close(errors[1]);
  bool has_survived = false;
  const bool in_time = child > 0 && wait_for_end(
      survived[0], errors[0], seconds, &has_survived, messages, messages_size);
  close(survived[0]);
  close(errors[0]);
  if (child < 0) return PJRTTrialNotStarted;
  if (!in_time) kill(child, SIGKILL);
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  if (!in_time) return PJRTTrialTimedOut;
  return has_survived ? PJRTTrialSurvived : PJRTTrialDied;
}
