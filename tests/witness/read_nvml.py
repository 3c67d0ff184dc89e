"""Reads every number of `nvsdk-top --once` by NVIDIA's own Python bindings, and prints it under the same key.

Where NVML answers with an error, the value is {"error": CODE}. What is read, which older function stands in for a newer
one, and how units are converted is written down here a second time, from NVIDIA's documentation, so that it can bear
witness.
"""

import json
import sys

import pynvml as nvml

# Codes by which a driver says that it does not have a function, and not that the function failed.
LACKING = (
    nvml.NVML_ERROR_NOT_SUPPORTED,
    nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
    nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
    nvml.NVML_ERROR_DEPRECATED,
)

ARCHITECTURES = {
    nvml.NVML_DEVICE_ARCH_KEPLER: "Kepler",
    nvml.NVML_DEVICE_ARCH_MAXWELL: "Maxwell",
    nvml.NVML_DEVICE_ARCH_PASCAL: "Pascal",
    nvml.NVML_DEVICE_ARCH_VOLTA: "Volta",
    nvml.NVML_DEVICE_ARCH_TURING: "Turing",
    nvml.NVML_DEVICE_ARCH_AMPERE: "Ampere",
    nvml.NVML_DEVICE_ARCH_ADA: "Ada",
    nvml.NVML_DEVICE_ARCH_HOPPER: "Hopper",
    nvml.NVML_DEVICE_ARCH_BLACKWELL: "Blackwell",
}

REASONS = {
    nvml.nvmlClocksEventReasonGpuIdle: "gpu_idle",
    nvml.nvmlClocksEventReasonApplicationsClocksSetting: "applications_clocks_setting",
    nvml.nvmlClocksEventReasonSwPowerCap: "sw_power_cap",
    nvml.nvmlClocksEventReasonHwSlowdown: "hw_slowdown",
    nvml.nvmlClocksEventReasonSyncBoost: "sync_boost",
    nvml.nvmlClocksEventReasonSwThermalSlowdown: "sw_thermal_slowdown",
    nvml.nvmlClocksEventReasonHwThermalSlowdown: "hw_thermal_slowdown",
    nvml.nvmlClocksEventReasonHwPowerBrakeSlowdown: "hw_power_brake_slowdown",
    nvml.nvmlClocksEventReasonDisplayClockSetting: "display_clock_setting",
    nvml.nvmlClocksThrottleReasonBoardLimit: "board_limit",
    nvml.nvmlClocksThrottleReasonReliability: "reliability",
}


def first(*questions):
    """The answer to the first question that the driver knows."""
    *newer, oldest = questions
    for question in newer:
        try:
            return question()
        except nvml.NVMLError as error:
            if error.value not in LACKING:
                raise
    return oldest()


def ask(*questions):
    """The answer to the first question that the driver knows, or the code of the error."""
    try:
        return first(*questions)
    except nvml.NVMLError as error:
        return {"error": error.value}


def convert(answer, how):
    return answer if isinstance(answer, dict) and "error" in answer else how(answer)


def text(answer):
    return convert(answer, lambda words: words.decode() if isinstance(words, bytes) else words)


def cuda(number):
    return f"{number // 1000}.{number % 1000 // 10}"


def pci_address(info):
    return f"{info.domain:04x}:{info.bus:02x}:{info.device:02x}.0"


def names(mask):
    bits = (1 << number for number in range(64))
    return [REASONS.get(bit, f"unknown_0x{bit:x}") for bit in bits if mask & bit]


def identity(gpu):
    return {
        "index": ask(lambda: nvml.nvmlDeviceGetIndex(gpu)),
        "uuid": text(ask(lambda: nvml.nvmlDeviceGetUUID(gpu))),
        "pci_bus_id": convert(ask(lambda: nvml.nvmlDeviceGetPciInfo(gpu)), pci_address),
        "name": text(ask(lambda: nvml.nvmlDeviceGetName(gpu))),
        "architecture": convert(ask(lambda: nvml.nvmlDeviceGetArchitecture(gpu)), ARCHITECTURES.get),
        "compute_capability": convert(
            ask(lambda: nvml.nvmlDeviceGetCudaComputeCapability(gpu)), lambda pair: f"{pair[0]}.{pair[1]}"
        ),
        "vbios_version": text(ask(lambda: nvml.nvmlDeviceGetVbiosVersion(gpu))),
        "serial": text(ask(lambda: nvml.nvmlDeviceGetSerial(gpu))),
        "mig": mig(gpu),
    }


def mig(gpu):
    answer = ask(lambda: nvml.nvmlDeviceGetMigMode(gpu)[0] == nvml.NVML_DEVICE_MIG_ENABLE)
    # A GPU that does not know the mode is not in it.
    return False if isinstance(answer, dict) and answer["error"] in LACKING else answer


def memory(gpu):
    answer = ask(
        lambda: nvml.nvmlDeviceGetMemoryInfo(gpu, version=nvml.nvmlMemory_v2),
        lambda: nvml.nvmlDeviceGetMemoryInfo(gpu),
    )
    part = lambda name: convert(answer, lambda sizes: getattr(sizes, name, {"error": nvml.NVML_ERROR_NOT_SUPPORTED}))
    return {f"memory_{name}_bytes": part(name) for name in ("total", "used", "reserved", "free")}


def heat(gpu):
    degrees = lambda: first(
        lambda: nvml.nvmlDeviceGetTemperatureV(gpu, nvml.NVML_TEMPERATURE_GPU),
        lambda: nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU),
    )
    slowdown = nvml.NVML_TEMPERATURE_THRESHOLD_SLOWDOWN
    margin = ask(
        lambda: nvml.nvmlDeviceGetMarginTemperature(gpu),
        lambda: nvml.nvmlDeviceGetTemperatureThreshold(gpu, slowdown) - degrees(),
    )
    return {"temperature_celsius": ask(degrees), "temperature_slowdown_margin_celsius": margin}


def power(gpu):
    watts = lambda question: convert(ask(question), lambda milliwatts: milliwatts / 1000)
    limits = ask(lambda: nvml.nvmlDeviceGetPowerManagementLimitConstraints(gpu))
    return {
        "power_draw_watts": watts(lambda: nvml.nvmlDeviceGetPowerUsage(gpu)),
        "power_enforced_limit_watts": watts(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(gpu)),
        "power_default_limit_watts": watts(lambda: nvml.nvmlDeviceGetPowerManagementDefaultLimit(gpu)),
        "power_minimum_limit_watts": convert(limits, lambda pair: pair[0] / 1000),
        "power_maximum_limit_watts": convert(limits, lambda pair: pair[1] / 1000),
        "energy_joules": watts(lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(gpu)),
    }


def fans(gpu):
    count = ask(lambda: nvml.nvmlDeviceGetNumFans(gpu))
    if isinstance(count, dict) or count == 0:
        # Without a count there may still be the one fan of the oldest function, but no number for it.
        return {"fan_0_percent": count or {"error": nvml.NVML_ERROR_NOT_SUPPORTED}}
    return {f"fan_{fan}_percent": ask(lambda fan=fan: nvml.nvmlDeviceGetFanSpeed_v2(gpu, fan)) for fan in range(count)}


def clocks(gpu):
    kinds = {
        "graphics": nvml.NVML_CLOCK_GRAPHICS,
        "sm": nvml.NVML_CLOCK_SM,
        "memory": nvml.NVML_CLOCK_MEM,
        "video": nvml.NVML_CLOCK_VIDEO,
    }
    read = {}
    for name, kind in kinds.items():
        read[f"clock_{name}_mhz"] = ask(lambda: nvml.nvmlDeviceGetClockInfo(gpu, kind))
        read[f"clock_{name}_max_mhz"] = ask(lambda: nvml.nvmlDeviceGetMaxClockInfo(gpu, kind))
    reasons = ask(
        lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu),
        lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu),
    )
    read["clock_event_reasons"] = convert(reasons, names)
    read["performance_state"] = ask(lambda: nvml.nvmlDeviceGetPerformanceState(gpu))
    return read


def load(gpu):
    rates = ask(lambda: nvml.nvmlDeviceGetUtilizationRates(gpu))
    return {
        "busy_percent": convert(rates, lambda both: both.gpu),
        "memory_controller_percent": convert(rates, lambda both: both.memory),
        "encoder_utilization_percent": ask(lambda: nvml.nvmlDeviceGetEncoderUtilization(gpu)[0]),
        "decoder_utilization_percent": ask(lambda: nvml.nvmlDeviceGetDecoderUtilization(gpu)[0]),
    }


def links(gpu):
    traffic = lambda direction: convert(
        ask(lambda: nvml.nvmlDeviceGetPcieThroughput(gpu, direction)), lambda kilobytes: kilobytes * 1000
    )
    return {
        "pcie_link_generation": ask(lambda: nvml.nvmlDeviceGetCurrPcieLinkGeneration(gpu)),
        "pcie_link_width": ask(lambda: nvml.nvmlDeviceGetCurrPcieLinkWidth(gpu)),
        "pcie_link_generation_max": ask(lambda: nvml.nvmlDeviceGetMaxPcieLinkGeneration(gpu)),
        "pcie_link_width_max": ask(lambda: nvml.nvmlDeviceGetMaxPcieLinkWidth(gpu)),
        "pcie_rx_bytes_per_second": traffic(nvml.NVML_PCIE_UTIL_RX_BYTES),
        "pcie_tx_bytes_per_second": traffic(nvml.NVML_PCIE_UTIL_TX_BYTES),
        "persistence_mode": convert(ask(lambda: nvml.nvmlDeviceGetPersistenceMode(gpu)), bool),
    }


def processes(gpu, index):
    """The processes of the lists that nvidia-smi reads, which are not the ones that nvsdk-top tries first."""
    found = {}
    for letter, kind in (("C", "Compute"), ("G", "Graphics"), ("M", "MPSCompute")):
        versions = [getattr(nvml, f"nvmlDeviceGet{kind}RunningProcesses_v{number}") for number in (3, 2)]
        answer = ask(*(lambda version=version: version(gpu) for version in versions))
        if isinstance(answer, dict):
            continue
        for process in answer:
            known = found.setdefault(process.pid, {"gpu_index": index, "pid": process.pid, "type": []})
            known["type"].append(letter)
            sizes = [known.get("gpu_memory_bytes"), process.usedGpuMemory]
            known["gpu_memory_bytes"] = max((size for size in sizes if size is not None), default=None)
            for ours, theirs in (("gpu_instance", "gpuInstanceId"), ("compute_instance", "computeInstanceId")):
                if (instance := getattr(process, theirs)) not in (None, 0xFFFFFFFF):
                    known[ours] = instance
    for known in found.values():
        known["type"] = "+".join(known["type"])
    return [found[pid] for pid in sorted(found)]


def main():
    nvml.nvmlInit()
    driver = {
        "version": text(ask(nvml.nvmlSystemGetDriverVersion)),
        "nvml_version": text(ask(nvml.nvmlSystemGetNVMLVersion)),
        "cuda_version": convert(ask(nvml.nvmlSystemGetCudaDriverVersion), cuda),
    }
    handles = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    parts = (identity, load, memory, heat, power, fans, clocks, links)
    gpus = [{key: value for part in parts for key, value in part(gpu).items()} for gpu in handles]
    listed = [process for index, gpu in enumerate(handles) for process in processes(gpu, index)]
    nvml.nvmlShutdown()
    json.dump({"driver": driver, "gpus": gpus, "processes": listed}, sys.stdout)


main()
