#pragma once
// The part of the PJRT C API that Apus calls, written by hand: API 0.81, and what 0.115 appended.
//
// A plugin exports `GetPjrtApi`, which returns a table: 40 bytes of description, then one pointer
// per function. Each function takes one block of arguments, beginning with the block's size, and
// returns an error or NULL. Tests compare all of this with the header that a plugin's wheel brings.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The size a block claims: up to the end of its last field, without the padding behind it.
#define PJRT_SIZE(name, official, last) \
  enum { name##Size = offsetof(name, last) + sizeof(((name *)0)->last) }

// Also the place of a function in the table: slot i is at byte 40 + 8 * i.
#define PJRT_FUNCTION(name, official, slot, last) \
  enum { name##Slot = slot }; \
  PJRT_SIZE(name, official, last)

typedef struct PJRTError PJRTError;
typedef struct PJRTEvent PJRTEvent;
typedef struct PJRTClient PJRTClient;
typedef struct PJRTDevice PJRTDevice;
typedef struct PJRTDeviceDescription PJRTDeviceDescription;
typedef struct PJRTMemory PJRTMemory;
typedef struct PJRTBuffer PJRTBuffer;
typedef struct PJRTExecutable PJRTExecutable;
typedef struct PJRTLoadedExecutable PJRTLoadedExecutable;
typedef struct PJRTSerializedExecutable PJRTSerializedExecutable;
typedef struct PJRTTopologyDescription PJRTTopologyDescription;

// Room for any block, also for those that later plugins want larger.
typedef struct {
  uint64_t words[32];
} PJRTRoom;

// What every block begins with.
#define PJRT_HEADER \
  size_t struct_size; \
  void *extension_start

// MARK: - The table

typedef struct {
  PJRT_HEADER;
  size_t version_struct_size;
  void *version_extension_start;
  int32_t major_version;
  int32_t minor_version;
  // Functions follow.
} PJRTTable;

// MARK: - Nested blocks

// PJRTNamedValueType
enum {
  PJRTNamedValueString = 0,
  PJRTNamedValueInt64 = 1,
  PJRTNamedValueInt64List = 2,
  PJRTNamedValueFloat = 3,
  PJRTNamedValueBool = 4,
};

typedef struct {
  PJRT_HEADER;
  const char *name;
  size_t name_size;
  uint32_t type; // PJRTNamedValueType
  union {
    const char *string_value;
    int64_t int64_value;
    const int64_t *int64_array_value;
    float float_value;
    bool bool_value;
  };
  size_t value_size; // 1, or the length of a string or list
} PJRTNamedValue;
PJRT_SIZE(PJRTNamedValue, PJRT_NamedValue, value_size);

typedef struct {
  PJRT_HEADER;
  char *code;
  size_t code_size;
  const char *format;
  size_t format_size;
} PJRTProgram;
PJRT_SIZE(PJRTProgram, PJRT_Program, format_size);

typedef struct {
  PJRT_HEADER;
  void *send_callbacks;
  void *recv_callbacks;
  size_t num_send_ops;
  size_t num_recv_ops;
  int launch_id;
  const int64_t *non_donatable_input_indices;
  size_t num_non_donatable_input_indices;
  void *context;
  const char *call_location;
  size_t num_tasks;
  int *task_ids;
  int64_t *incarnation_ids;
  void *multi_slice_config; // since 0.82 to 0.114, as all below
  bool use_major_to_minor_data_layout_for_callbacks;
  void *hlo_output_callbacks;
  size_t num_hlo_output_callbacks;
} PJRTExecuteOptions;
PJRT_SIZE(PJRTExecuteOptions, PJRT_ExecuteOptions, num_hlo_output_callbacks);

// MARK: - Errors

typedef struct {
  PJRT_HEADER;
  PJRTError *error;
} PJRTErrorDestroy;
PJRT_FUNCTION(PJRTErrorDestroy, PJRT_Error_Destroy, 0, error);

typedef struct {
  PJRT_HEADER;
  PJRTError *error;
  const char *message; // out, lives as long as the error
  size_t message_size; // out
} PJRTErrorMessage;
PJRT_FUNCTION(PJRTErrorMessage, PJRT_Error_Message, 1, message_size);

typedef struct {
  PJRT_HEADER;
  PJRTError *error;
  uint32_t code; // out, an absl::StatusCode
} PJRTErrorGetCode;
PJRT_FUNCTION(PJRTErrorGetCode, PJRT_Error_GetCode, 2, code);

// MARK: - Plugin

typedef struct {
  PJRT_HEADER;
} PJRTPluginInitialize;
PJRT_FUNCTION(PJRTPluginInitialize, PJRT_Plugin_Initialize, 3, extension_start);

typedef struct {
  PJRT_HEADER;
  const PJRTNamedValue *attributes; // out, for the life of the process
  size_t num_attributes; // out
} PJRTPluginAttributes;
PJRT_FUNCTION(PJRTPluginAttributes, PJRT_Plugin_Attributes, 4, num_attributes);

// MARK: - Events

typedef struct {
  PJRT_HEADER;
  PJRTEvent *event;
} PJRTEventDestroy;
PJRT_FUNCTION(PJRTEventDestroy, PJRT_Event_Destroy, 5, event);

typedef struct {
  PJRT_HEADER;
  PJRTEvent *event;
  bool is_ready; // out
} PJRTEventIsReady;
PJRT_FUNCTION(PJRTEventIsReady, PJRT_Event_IsReady, 6, is_ready);

typedef struct {
  PJRT_HEADER;
  PJRTEvent *event;
} PJRTEventAwait;
PJRT_FUNCTION(PJRTEventAwait, PJRT_Event_Await, 8, event);

typedef struct {
  PJRT_HEADER;
  PJRTEvent *event;
  void (*callback)(PJRTError *error, void *user_arg); // destroys the error
  void *user_arg;
} PJRTEventOnReady;
PJRT_FUNCTION(PJRTEventOnReady, PJRT_Event_OnReady, 9, user_arg);

// MARK: - Client

typedef struct {
  PJRT_HEADER;
  const PJRTNamedValue *create_options;
  size_t num_options;
  void *kv_get_callback; // these six are for several processes
  void *kv_get_user_arg;
  void *kv_put_callback;
  void *kv_put_user_arg;
  PJRTClient *client; // out
  void *kv_try_get_callback;
  void *kv_try_get_user_arg;
} PJRTClientCreate;
PJRT_FUNCTION(PJRTClientCreate, PJRT_Client_Create, 10, kv_try_get_user_arg);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
} PJRTClientDestroy;
PJRT_FUNCTION(PJRTClientDestroy, PJRT_Client_Destroy, 11, client);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  const char *platform_name; // out
  size_t platform_name_size; // out
} PJRTClientPlatformName;
PJRT_FUNCTION(PJRTClientPlatformName, PJRT_Client_PlatformName, 12, platform_name_size);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  const char *platform_version; // out
  size_t platform_version_size; // out
} PJRTClientPlatformVersion;
PJRT_FUNCTION(PJRTClientPlatformVersion, PJRT_Client_PlatformVersion, 14, platform_version_size);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  PJRTDevice *const *addressable_devices; // out
  size_t num_addressable_devices; // out
} PJRTClientAddressableDevices;
PJRT_FUNCTION(
    PJRTClientAddressableDevices, PJRT_Client_AddressableDevices, 16, num_addressable_devices);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  const PJRTProgram *program;
  const char *compile_options; // a CompileOptionsProto
  size_t compile_options_size;
  PJRTLoadedExecutable *executable; // out
} PJRTClientCompile;
PJRT_FUNCTION(PJRTClientCompile, PJRT_Client_Compile, 20, executable);

// PJRTHostBufferSemantics
enum {
  PJRTHostBufferImmutableOnlyDuringCall = 0,
  PJRTHostBufferImmutableUntilTransferCompletes = 1,
  PJRTHostBufferImmutableZeroCopy = 2,
  PJRTHostBufferMutableZeroCopy = 3,
};

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  const void *data;
  uint32_t type; // PJRTElementType
  const int64_t *dims;
  size_t num_dims;
  const int64_t *byte_strides; // NULL for row-major
  size_t num_byte_strides;
  uint32_t host_buffer_semantics; // PJRTHostBufferSemantics
  PJRTDevice *device;
  PJRTMemory *memory;
  void *device_layout;
  PJRTEvent *done_with_host_buffer; // out
  PJRTBuffer *buffer; // out
} PJRTClientBufferFromHostBuffer;
PJRT_FUNCTION(PJRTClientBufferFromHostBuffer, PJRT_Client_BufferFromHostBuffer, 22, buffer);

// MARK: - Devices

typedef struct {
  PJRT_HEADER;
  PJRTDeviceDescription *device_description;
  int id; // out, unique among all processes
} PJRTDeviceDescriptionId;
PJRT_FUNCTION(PJRTDeviceDescriptionId, PJRT_DeviceDescription_Id, 23, id);

typedef struct {
  PJRT_HEADER;
  PJRTDeviceDescription *device_description;
  const char *device_kind; // out
  size_t device_kind_size; // out
} PJRTDeviceDescriptionKind;
PJRT_FUNCTION(PJRTDeviceDescriptionKind, PJRT_DeviceDescription_Kind, 26, device_kind_size);

typedef struct {
  PJRT_HEADER;
  PJRTDevice *device;
  PJRTDeviceDescription *device_description; // out
} PJRTDeviceGetDescription;
PJRT_FUNCTION(PJRTDeviceGetDescription, PJRT_Device_GetDescription, 29, device_description);

// All fields but the device are out.
typedef struct {
  PJRT_HEADER;
  PJRTDevice *device;
  int64_t bytes_in_use;
  int64_t peak_bytes_in_use;
  bool peak_bytes_in_use_is_set;
  int64_t num_allocs;
  bool num_allocs_is_set;
  int64_t largest_alloc_size;
  bool largest_alloc_size_is_set;
  int64_t bytes_limit;
  bool bytes_limit_is_set;
  int64_t bytes_reserved;
  bool bytes_reserved_is_set;
  int64_t peak_bytes_reserved;
  bool peak_bytes_reserved_is_set;
  int64_t bytes_reservable_limit;
  bool bytes_reservable_limit_is_set;
  int64_t largest_free_block_bytes;
  bool largest_free_block_bytes_is_set;
  int64_t pool_bytes;
  bool pool_bytes_is_set;
  int64_t peak_pool_bytes;
  bool peak_pool_bytes_is_set;
  int64_t peak_allocated_bytes; // since 0.82 to 0.114
  bool peak_allocated_bytes_is_set;
} PJRTDeviceMemoryStats;
PJRT_FUNCTION(PJRTDeviceMemoryStats, PJRT_Device_MemoryStats, 34, peak_allocated_bytes_is_set);

// Since 0.91 to 0.114.
typedef struct {
  PJRT_HEADER;
  PJRTDevice *device;
} PJRTDeviceClearMemoryStats;
PJRT_FUNCTION(PJRTDeviceClearMemoryStats, PJRT_Device_ClearMemoryStats, 135, device);

// MARK: - Executables

typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
} PJRTExecutableDestroy;
PJRT_FUNCTION(PJRTExecutableDestroy, PJRT_Executable_Destroy, 40, executable);

typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
  PJRTProgram *program; // without code it is told the size, then given the code
} PJRTExecutableOptimizedProgram;
PJRT_FUNCTION(PJRTExecutableOptimizedProgram, PJRT_Executable_OptimizedProgram, 48, program);

typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
  const char *serialized_bytes; // out
  size_t serialized_bytes_size; // out
  PJRTSerializedExecutable *serialized_executable; // out, owns the bytes
  void (*serialized_executable_deleter)(PJRTSerializedExecutable *); // out
} PJRTExecutableSerialize;
PJRT_FUNCTION(
    PJRTExecutableSerialize, PJRT_Executable_Serialize, 49, serialized_executable_deleter);

typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
  uint32_t *output_types; // out, PJRTElementType
  size_t num_output_types; // out
} PJRTExecutableOutputElementTypes;
PJRT_FUNCTION(
    PJRTExecutableOutputElementTypes, PJRT_Executable_OutputElementTypes, 90, num_output_types);

typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
  size_t num_outputs; // out
  const int64_t *dims; // out, of all outputs, one after the other
  const size_t *dim_sizes; // out, the rank of each output
} PJRTExecutableOutputDimensions;
PJRT_FUNCTION(PJRTExecutableOutputDimensions, PJRT_Executable_OutputDimensions, 91, dim_sizes);

// All fields but the executable are out.
typedef struct {
  PJRT_HEADER;
  PJRTExecutable *executable;
  int64_t generated_code_size_in_bytes;
  int64_t argument_size_in_bytes;
  int64_t output_size_in_bytes;
  int64_t alias_size_in_bytes;
  int64_t temp_size_in_bytes;
  int64_t host_generated_code_size_in_bytes;
  int64_t host_argument_size_in_bytes;
  int64_t host_output_size_in_bytes;
  int64_t host_alias_size_in_bytes;
  int64_t host_temp_size_in_bytes;
  int64_t peak_memory_in_bytes;
  int64_t total_size_in_bytes; // since 0.82 to 0.114, as all below
  int64_t total_allocation_bytes;
  int64_t indefinite_allocations;
  int64_t peak_unpadded_heap_bytes;
} PJRTExecutableGetCompiledMemoryStats;
PJRT_FUNCTION(
    PJRTExecutableGetCompiledMemoryStats, PJRT_Executable_GetCompiledMemoryStats, 96, peak_unpadded_heap_bytes);

typedef struct {
  PJRT_HEADER;
  PJRTLoadedExecutable *executable;
} PJRTLoadedExecutableDestroy;
PJRT_FUNCTION(PJRTLoadedExecutableDestroy, PJRT_LoadedExecutable_Destroy, 50, executable);

typedef struct {
  PJRT_HEADER;
  PJRTLoadedExecutable *loaded_executable;
  PJRTExecutable *executable; // out, the caller's to destroy
} PJRTLoadedExecutableGetExecutable;
PJRT_FUNCTION(
    PJRTLoadedExecutableGetExecutable, PJRT_LoadedExecutable_GetExecutable, 51, executable);

typedef struct {
  PJRT_HEADER;
  PJRTLoadedExecutable *executable;
  PJRTExecuteOptions *options;
  PJRTBuffer *const *const *argument_lists; // [device][argument]
  size_t num_devices;
  size_t num_args;
  PJRTBuffer **const *output_lists; // [device][output], filled by the call
  PJRTEvent **device_complete_events; // [device], filled by the call; NULL for none
  PJRTDevice *execute_device;
} PJRTLoadedExecutableExecute;
PJRT_FUNCTION(PJRTLoadedExecutableExecute, PJRT_LoadedExecutable_Execute, 55, execute_device);

typedef struct {
  PJRT_HEADER;
  PJRTClient *client;
  const char *serialized_executable;
  size_t serialized_executable_size;
  PJRTLoadedExecutable *loaded_executable; // out
  const char *overridden_serialized_compile_options;
  size_t overridden_serialized_compile_options_size;
  void *load_options; // since 0.82 to 0.114
} PJRTExecutableDeserializeAndLoad;
PJRT_FUNCTION(
    PJRTExecutableDeserializeAndLoad, PJRT_Executable_DeserializeAndLoad, 56, load_options);

// MARK: - Buffers

// PJRTElementType
enum {
  PJRTElementBool = 1,
  PJRTElementInt8 = 2,
  PJRTElementInt16 = 3,
  PJRTElementInt32 = 4,
  PJRTElementInt64 = 5,
  PJRTElementUInt8 = 6,
  PJRTElementFloat16 = 10,
  PJRTElementFloat32 = 11,
  PJRTElementFloat64 = 12,
  PJRTElementBFloat16 = 13,
};

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
} PJRTBufferDestroy;
PJRT_FUNCTION(PJRTBufferDestroy, PJRT_Buffer_Destroy, 58, buffer);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
  size_t on_device_size_in_bytes; // out
} PJRTBufferOnDeviceSizeInBytes;
PJRT_FUNCTION(
    PJRTBufferOnDeviceSizeInBytes, PJRT_Buffer_OnDeviceSizeInBytes, 64, on_device_size_in_bytes);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
  bool is_deleted; // out
} PJRTBufferIsDeleted;
PJRT_FUNCTION(PJRTBufferIsDeleted, PJRT_Buffer_IsDeleted, 68, is_deleted);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
  PJRTDevice *dst_device;
  PJRTBuffer *dst_buffer; // out
} PJRTBufferCopyToDevice;
PJRT_FUNCTION(PJRTBufferCopyToDevice, PJRT_Buffer_CopyToDevice, 69, dst_buffer);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *src;
  void *host_layout;
  void *dst; // NULL asks for the size
  size_t dst_size;
  PJRTEvent *event; // out
} PJRTBufferToHostBuffer;
PJRT_FUNCTION(PJRTBufferToHostBuffer, PJRT_Buffer_ToHostBuffer, 70, event);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
  PJRTEvent *event; // out
} PJRTBufferReadyEvent;
PJRT_FUNCTION(PJRTBufferReadyEvent, PJRT_Buffer_ReadyEvent, 72, event);

typedef struct {
  PJRT_HEADER;
  PJRTBuffer *buffer;
  uintptr_t buffer_pointer; // out
} PJRTBufferUnsafePointer;
PJRT_FUNCTION(PJRTBufferUnsafePointer, PJRT_Buffer_UnsafePointer, 73, buffer_pointer);

// MARK: - Compiling without a device

typedef struct {
  PJRT_HEADER;
  const char *topology_name;
  size_t topology_name_size;
  const PJRTNamedValue *create_options;
  size_t num_options;
  PJRTTopologyDescription *topology; // out
} PJRTTopologyDescriptionCreate;
PJRT_FUNCTION(PJRTTopologyDescriptionCreate, PJRT_TopologyDescription_Create, 82, topology);

typedef struct {
  PJRT_HEADER;
  PJRTTopologyDescription *topology;
} PJRTTopologyDescriptionDestroy;
PJRT_FUNCTION(PJRTTopologyDescriptionDestroy, PJRT_TopologyDescription_Destroy, 83, topology);

typedef struct {
  PJRT_HEADER;
  const PJRTTopologyDescription *topology;
  const PJRTProgram *program;
  const char *compile_options;
  size_t compile_options_size;
  PJRTClient *client; // may be NULL
  PJRTExecutable *executable; // out
} PJRTCompile;
PJRT_FUNCTION(PJRTCompile, PJRT_Compile, 89, executable);

// MARK: - Trials

// Trial.c: whether a plugin survives being used, tried in a child process. XLA ends the process
// when it does not like a flag or the description of a device.
enum {
  PJRTTrialSurvived = 0,
  PJRTTrialDied = 1,
  PJRTTrialTimedOut = 2,
  PJRTTrialNotStarted = 3,
};

// In the child, gives XLA_FLAGS the value `flags` unless that is NULL, and compiles `program`: on a
// client's device, or for a device described by `target_config` unless that is NULL.
// What the child says first on its standard error ends up in `messages`, NUL-terminated.
int PJRTTrial(
    const PJRTTable *table, const char *flags, const char *target_config, const char *program,
    int seconds, char *messages, size_t messages_size);
