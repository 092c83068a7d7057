import CPJRT

// The functions that Apus calls, in the order of CPJRT.h.

extension PJRTErrorDestroy: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Error_Destroy", PJRTErrorDestroySlot, PJRTErrorDestroySize)
  }
}

extension PJRTErrorMessage: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Error_Message", PJRTErrorMessageSlot, PJRTErrorMessageSize)
  }
}

extension PJRTErrorGetCode: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Error_GetCode", PJRTErrorGetCodeSlot, PJRTErrorGetCodeSize)
  }
}

extension PJRTPluginInitialize: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Plugin_Initialize", PJRTPluginInitializeSlot, PJRTPluginInitializeSize)
  }
}

extension PJRTPluginAttributes: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Plugin_Attributes", PJRTPluginAttributesSlot, PJRTPluginAttributesSize)
  }
}

extension PJRTEventDestroy: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Event_Destroy", PJRTEventDestroySlot, PJRTEventDestroySize)
  }
}

extension PJRTEventIsReady: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Event_IsReady", PJRTEventIsReadySlot, PJRTEventIsReadySize)
  }
}

extension PJRTEventAwait: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Event_Await", PJRTEventAwaitSlot, PJRTEventAwaitSize)
  }
}

extension PJRTEventOnReady: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Event_OnReady", PJRTEventOnReadySlot, PJRTEventOnReadySize)
  }
}

extension PJRTClientCreate: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Client_Create", PJRTClientCreateSlot, PJRTClientCreateSize)
  }
}

extension PJRTClientDestroy: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Client_Destroy", PJRTClientDestroySlot, PJRTClientDestroySize)
  }
}

extension PJRTClientPlatformName: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Client_PlatformName", PJRTClientPlatformNameSlot, PJRTClientPlatformNameSize)
  }
}

extension PJRTClientPlatformVersion: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Client_PlatformVersion", PJRTClientPlatformVersionSlot,
      PJRTClientPlatformVersionSize)
  }
}

extension PJRTClientAddressableDevices: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Client_AddressableDevices", PJRTClientAddressableDevicesSlot,
      PJRTClientAddressableDevicesSize)
  }
}

extension PJRTClientCompile: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Client_Compile", PJRTClientCompileSlot, PJRTClientCompileSize)
  }
}

extension PJRTClientBufferFromHostBuffer: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Client_BufferFromHostBuffer", PJRTClientBufferFromHostBufferSlot,
      PJRTClientBufferFromHostBufferSize)
  }
}

extension PJRTDeviceDescriptionId: ArgumentBlock {
  static var function: Function {
    Function("PJRT_DeviceDescription_Id", PJRTDeviceDescriptionIdSlot, PJRTDeviceDescriptionIdSize)
  }
}

extension PJRTDeviceDescriptionKind: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_DeviceDescription_Kind", PJRTDeviceDescriptionKindSlot,
      PJRTDeviceDescriptionKindSize)
  }
}

extension PJRTDeviceGetDescription: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Device_GetDescription", PJRTDeviceGetDescriptionSlot,
      PJRTDeviceGetDescriptionSize)
  }
}

extension PJRTDeviceMemoryStats: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Device_MemoryStats", PJRTDeviceMemoryStatsSlot, PJRTDeviceMemoryStatsSize)
  }
}

extension PJRTDeviceClearMemoryStats: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Device_ClearMemoryStats", PJRTDeviceClearMemoryStatsSlot,
      PJRTDeviceClearMemoryStatsSize)
  }
}

extension PJRTExecutableDestroy: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Executable_Destroy", PJRTExecutableDestroySlot, PJRTExecutableDestroySize)
  }
}

extension PJRTExecutableOptimizedProgram: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Executable_OptimizedProgram", PJRTExecutableOptimizedProgramSlot,
      PJRTExecutableOptimizedProgramSize)
  }
}

extension PJRTExecutableSerialize: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Executable_Serialize", PJRTExecutableSerializeSlot, PJRTExecutableSerializeSize)
  }
}

extension PJRTExecutableOutputElementTypes: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Executable_OutputElementTypes", PJRTExecutableOutputElementTypesSlot,
      PJRTExecutableOutputElementTypesSize)
  }
}

extension PJRTExecutableOutputDimensions: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Executable_OutputDimensions", PJRTExecutableOutputDimensionsSlot,
      PJRTExecutableOutputDimensionsSize)
  }
}

extension PJRTExecutableGetCompiledMemoryStats: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Executable_GetCompiledMemoryStats", PJRTExecutableGetCompiledMemoryStatsSlot,
      PJRTExecutableGetCompiledMemoryStatsSize)
  }
}

extension PJRTLoadedExecutableDestroy: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_LoadedExecutable_Destroy", PJRTLoadedExecutableDestroySlot,
      PJRTLoadedExecutableDestroySize)
  }
}

extension PJRTLoadedExecutableGetExecutable: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_LoadedExecutable_GetExecutable", PJRTLoadedExecutableGetExecutableSlot,
      PJRTLoadedExecutableGetExecutableSize)
  }
}

extension PJRTLoadedExecutableExecute: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_LoadedExecutable_Execute", PJRTLoadedExecutableExecuteSlot,
      PJRTLoadedExecutableExecuteSize)
  }
}

extension PJRTExecutableDeserializeAndLoad: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Executable_DeserializeAndLoad", PJRTExecutableDeserializeAndLoadSlot,
      PJRTExecutableDeserializeAndLoadSize)
  }
}

extension PJRTBufferDestroy: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_Destroy", PJRTBufferDestroySlot, PJRTBufferDestroySize)
  }
}

extension PJRTBufferOnDeviceSizeInBytes: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_Buffer_OnDeviceSizeInBytes", PJRTBufferOnDeviceSizeInBytesSlot,
      PJRTBufferOnDeviceSizeInBytesSize)
  }
}

extension PJRTBufferIsDeleted: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_IsDeleted", PJRTBufferIsDeletedSlot, PJRTBufferIsDeletedSize)
  }
}

extension PJRTBufferCopyToDevice: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_CopyToDevice", PJRTBufferCopyToDeviceSlot, PJRTBufferCopyToDeviceSize)
  }
}

extension PJRTBufferToHostBuffer: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_ToHostBuffer", PJRTBufferToHostBufferSlot, PJRTBufferToHostBufferSize)
  }
}

extension PJRTBufferReadyEvent: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_ReadyEvent", PJRTBufferReadyEventSlot, PJRTBufferReadyEventSize)
  }
}

extension PJRTBufferUnsafePointer: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Buffer_UnsafePointer", PJRTBufferUnsafePointerSlot, PJRTBufferUnsafePointerSize)
  }
}

extension PJRTTopologyDescriptionCreate: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_TopologyDescription_Create", PJRTTopologyDescriptionCreateSlot,
      PJRTTopologyDescriptionCreateSize)
  }
}

extension PJRTTopologyDescriptionDestroy: ArgumentBlock {
  static var function: Function {
    Function(
      "PJRT_TopologyDescription_Destroy", PJRTTopologyDescriptionDestroySlot,
      PJRTTopologyDescriptionDestroySize)
  }
}

extension PJRTCompile: ArgumentBlock {
  static var function: Function {
    Function("PJRT_Compile", PJRTCompileSlot, PJRTCompileSize)
  }
}
