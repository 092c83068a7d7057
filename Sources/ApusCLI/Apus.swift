import Apus
import ApusCommands

@main
struct Main {
  static func main() { ApusCommand.main(.zoo) }
}
