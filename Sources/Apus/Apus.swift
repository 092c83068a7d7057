@_exported import ApusIR
@_exported import ApusModels
@_exported import ApusNN
@_exported import ApusPasses
@_exported import ApusPlan
@_exported import ApusReference
@_exported import ApusRuntime
@_exported import ApusTensor
