import Testing

/// All tests that run the program, one after the other: each uses every core.
@Suite(.serialized) enum CommandTests {}
