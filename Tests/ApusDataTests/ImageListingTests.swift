import ApusData
import Foundation
import Testing

@Suite("Listing pictures")
struct ImageListingTests {
  @Test("a folder stands for its pictures, then those of its subfolders, sorted")
  func recursive() throws {
    let folder = try TemporaryFolder()
    for name in [
      "b.PNG", "a.jpg", "notes.txt", "c.Jpe", "d.jfif", "e.gif", ".hidden.jpg", "z/2.webp",
      "z/1.jpeg", "m/deep/er/x.bmp", "m/y.jpg", "empty/readme", "jpg", "dir.png/in.png",
    ] {
      try folder.write([1], to: name)
    }
    let found = try ImageFile.list([folder.path, "missing.tiff", folder.path + "/notes.txt"])
    let names = [
      "a.jpg", "b.PNG", "c.Jpe", "d.jfif", "e.gif", "dir.png/in.png", "m/y.jpg",
      "m/deep/er/x.bmp", "z/1.jpeg", "z/2.webp",
    ]
    let expected =
      names.map { folder.path + "/" + $0 } + ["missing.tiff", folder.path + "/notes.txt"]
    #expect(found == expected)
    #expect(try ImageFile.list([folder.path + "/z/"]).first == folder.path + "/z/1.jpeg")
  }

  @Test("links in a circle end, and links to files count", .timeLimit(.minutes(1)))
  func links() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "a/x.jpg")
    let manager = FileManager.default
    for name in ["a/up", "a/again", "b"] {
      try manager.createSymbolicLink(
        atPath: folder.path + "/" + name, withDestinationPath: folder.path)
    }
    try manager.createSymbolicLink(
      atPath: folder.path + "/self", withDestinationPath: folder.path + "/self")
    try manager.createSymbolicLink(
      atPath: folder.path + "/link.jpg", withDestinationPath: folder.path + "/a/x.jpg")
    #expect(
      try ImageFile.list([folder.path]) == ["/link.jpg", "/a/x.jpg"].map { folder.path + $0 })
  }

  @Test("a folder without pictures is an error")
  func empty() throws {
    let folder = try TemporaryFolder()
    try folder.write([1], to: "readme.txt")
    let error = DatasetError(.noImages, path: folder.path)
    #expect(throws: error) { try ImageFile.list([folder.path]) }
    #expect(
      error.description == folder.path
        + ": holds no pictures; expected files named .jpg, .png or .webp")
  }
}
