import Apus
import ApusCommands
import ApusOneDNN

print("a package outside builds with Apus, ApusOneDNN and ApusCommands")
