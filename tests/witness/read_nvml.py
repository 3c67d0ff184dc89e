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


def flag(answer):
    return convert(answer, bool)


def word(answer, words):
    return convert(answer, lambda number: words.get(number, f"unknown_{number}"))


def ranges(words, bits=64):
    """The numbers of the set bits, as Linux writes such lists."""
    numbers = [place * bits + bit for place, mask in enumerate(words) for bit in range(bits) if mask >> bit & 1]
    runs = []
    for number in numbers:
        if runs and runs[-1][1] + 1 == number:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


MISSING = {"error": nvml.NVML_ERROR_NOT_SUPPORTED}


def facts(gpu):
    width = ask(lambda: nvml.nvmlDeviceGetMemoryBusWidth(gpu))
    clock = ask(lambda: nvml.nvmlDeviceGetMaxClockInfo(gpu, nvml.NVML_CLOCK_MEM))
    peak = convert(width, lambda bits: convert(clock, lambda mhz: 2 * mhz * 1e6 * bits / 8))
    compute = {0: "default", 1: "exclusive_thread", 2: "prohibited", 3: "exclusive_process"}
    virtual = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host_vgpu", 4: "host_vsga"}
    gsp = ask(lambda: nvml.nvmlDeviceGetGspFirmwareMode(gpu)[0])
    return {
        "memory_bus_width_bits": width,
        "memory_bandwidth_peak_bytes_per_second": peak,
        "compute_mode": word(ask(lambda: nvml.nvmlDeviceGetComputeMode(gpu)), compute),
        "accounting_mode": flag(ask(lambda: nvml.nvmlDeviceGetAccountingMode(gpu))),
        "display_attached": flag(ask(lambda: nvml.nvmlDeviceGetDisplayMode(gpu))),
        "display_active": flag(ask(lambda: nvml.nvmlDeviceGetDisplayActive(gpu))),
        "gsp_firmware": flag(gsp),
        "gsp_firmware_version": text(ask(lambda: nvml.nvmlDeviceGetGspFirmwareVersion(gpu))),
        "virtualization_mode": word(ask(lambda: nvml.nvmlDeviceGetVirtualizationMode(gpu)), virtual),
        "addressing_mode": word(
            ask(lambda: nvml.nvmlDeviceGetAddressingMode(gpu)), {0: "none", 1: "hmm", 2: "ats"}
        ),
        "memory_numa_node": ask(lambda: nvml.nvmlDeviceGetNumaNodeId(gpu)),
        "numa_affinity": convert(ask(lambda: nvml.nvmlDeviceGetMemoryAffinity(gpu, 64, 0)), ranges),
        "cpu_affinity": convert(ask(lambda: nvml.nvmlDeviceGetCpuAffinity(gpu, 64)), ranges),
    }


def mig_handles(gpu):
    """The MIG devices with the number of their GPU instance; there may be holes between them."""
    if mig(gpu) is not True:
        return []
    found = []
    for index in range(nvml.nvmlDeviceGetMaxMigDeviceCount(gpu)):
        handle = ask(lambda: nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, index))
        if not isinstance(handle, dict):
            found.append((nvml.nvmlDeviceGetGpuInstanceId(handle), handle))
    return found


def mig_devices(gpu):
    handles = mig_handles(gpu)
    instances = sorted({instance for instance, _ in handles})
    return {
        "mig_devices": [
            {
                "uuid": text(nvml.nvmlDeviceGetUUID(handle)),
                "profile": text(nvml.nvmlDeviceGetName(handle)).rsplit(" MIG ", 1)[1],
                "gpu_instance": instance,
                "compute_instance": nvml.nvmlDeviceGetComputeInstanceId(handle),
                "gpu_instance_position": instances.index(instance),
                "memory_total_bytes": nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2).total,
            }
            for instance, handle in handles
        ]
    }


def instance_memory(gpu):
    handles = dict(mig_handles(gpu))
    used = lambda handle: nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2).used
    if not handles:
        return {"gpu_instance_0_memory_used_bytes": MISSING}
    return {
        f"gpu_instance_{place}_memory_used_bytes": used(handles[instance])
        for place, instance in enumerate(sorted(handles))
    }


def engines(gpu):
    domains = ask(lambda: nvml.nvmlDeviceGetDynamicPstatesInfo(gpu))
    busy = lambda place: convert(
        domains, lambda it: it.utilization[place].percentage if it.utilization[place].bIsPresent else MISSING
    )
    stats = ask(lambda: nvml.nvmlDeviceGetEncoderStats(gpu))
    # Without a session there is no rate of one.
    rate = lambda place: convert(stats, lambda it: it[place] if it[0] else MISSING)
    window = ask(lambda: nvml.nvmlDeviceGetBAR1MemoryInfo(gpu))
    read = {
        f"domain_{name}_percent": busy(place) for place, name in enumerate(("gpu", "framebuffer", "video", "bus"))
    }
    read["jpeg_utilization_percent"] = ask(lambda: nvml.nvmlDeviceGetJpgUtilization(gpu)[0])
    read["optical_flow_utilization_percent"] = ask(lambda: nvml.nvmlDeviceGetOfaUtilization(gpu)[0])
    read["encoder_sessions"] = convert(stats, lambda it: it[0])
    read["encoder_frame_rate_fps"] = rate(1)
    read["encoder_latency_microseconds"] = rate(2)
    read["bar1_total_bytes"] = convert(window, lambda it: it.bar1Total)
    read["bar1_used_bytes"] = convert(window, lambda it: it.bar1Used)
    return read


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
        return {key: count or MISSING for key in ("fan_0_percent", "fan_0_speed_rpm")}
    read = {}
    for fan in range(count):
        read[f"fan_{fan}_percent"] = ask(lambda: nvml.nvmlDeviceGetFanSpeed_v2(gpu, fan))
        read[f"fan_{fan}_speed_rpm"] = ask(lambda: turns(gpu, fan))
    return read


def turns(gpu, fan):
    asked = nvml.c_nvmlFanSpeedInfo_t()
    asked.version = nvml.nvmlFanSpeedInfo_v1
    asked.fan = fan
    function = nvml._nvmlGetFunctionPointer("nvmlDeviceGetFanSpeedRPM")
    nvml._nvmlCheckReturn(function(gpu, nvml.byref(asked)))
    return asked.speed


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


# The value of a field, by the type that the driver says it has.
VALUES = {
    nvml.NVML_VALUE_TYPE_DOUBLE: "dVal",
    nvml.NVML_VALUE_TYPE_UNSIGNED_INT: "uiVal",
    nvml.NVML_VALUE_TYPE_UNSIGNED_LONG: "ulVal",
    nvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG: "ullVal",
    nvml.NVML_VALUE_TYPE_SIGNED_LONG_LONG: "sllVal",
    nvml.NVML_VALUE_TYPE_SIGNED_INT: "siVal",
    nvml.NVML_VALUE_TYPE_UNSIGNED_SHORT: "usVal",
}

ALL_LINKS = 0xFFFFFFFF
RECOVERY = ("none", "gpu_reset", "node_reboot", "drain_p2p", "drain_and_reset")
NVLINK = (None, "1.0", "2.0", "2.2", "3.0", "3.1", "4.0", "5.0", "6.0")

COUNTS = {
    "ecc_corrected_volatile": nvml.NVML_FI_DEV_ECC_SBE_VOL_TOTAL,
    "ecc_uncorrected_volatile": nvml.NVML_FI_DEV_ECC_DBE_VOL_TOTAL,
    "ecc_corrected_aggregate": nvml.NVML_FI_DEV_ECC_SBE_AGG_TOTAL,
    "ecc_uncorrected_aggregate": nvml.NVML_FI_DEV_ECC_DBE_AGG_TOTAL,
    "remapped_rows_corrected": nvml.NVML_FI_DEV_REMAPPED_COR,
    "remapped_rows_uncorrected": nvml.NVML_FI_DEV_REMAPPED_UNC,
    "retired_pages_corrected": nvml.NVML_FI_DEV_RETIRED_SBE,
    "retired_pages_uncorrected": nvml.NVML_FI_DEV_RETIRED_DBE,
    "pcie_link_recoveries": nvml.NVML_FI_DEV_PCIE_L0_TO_RECOVERY_COUNTER,
    "pcie_correctable_errors": nvml.NVML_FI_DEV_PCIE_COUNT_CORRECTABLE_ERRORS,
    "pcie_naks_received": nvml.NVML_FI_DEV_PCIE_COUNT_NAKS_RECEIVED,
    "pcie_naks_sent": nvml.NVML_FI_DEV_PCIE_COUNT_NAKS_SENT,
    "pcie_bad_packets": nvml.NVML_FI_DEV_PCIE_COUNT_BAD_TLP,
    "pcie_non_fatal_errors": nvml.NVML_FI_DEV_PCIE_COUNT_NON_FATAL_ERROR,
    "pcie_fatal_errors": nvml.NVML_FI_DEV_PCIE_COUNT_FATAL_ERROR,
    "nvlink_data_errors": nvml.NVML_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL,
    "nvlink_count": nvml.NVML_FI_DEV_NVLINK_LINK_COUNT,
    "c2c_link_count": nvml.NVML_FI_DEV_C2C_LINK_COUNT,
    "temperature_shutdown_t_limit_celsius": nvml.NVML_FI_DEV_TEMPERATURE_SHUTDOWN_TLIMIT,
    "temperature_slowdown_t_limit_celsius": nvml.NVML_FI_DEV_TEMPERATURE_SLOWDOWN_TLIMIT,
    "temperature_memory_max_t_limit_celsius": nvml.NVML_FI_DEV_TEMPERATURE_MEM_MAX_TLIMIT,
    "temperature_gpu_max_t_limit_celsius": nvml.NVML_FI_DEV_TEMPERATURE_GPU_MAX_TLIMIT,
    "memory_temperature_celsius": nvml.NVML_FI_DEV_MEMORY_TEMP,
}

FLAGS = {
    "ecc_mode": nvml.NVML_FI_DEV_ECC_CURRENT,
    "ecc_mode_pending": nvml.NVML_FI_DEV_ECC_PENDING,
    "remapped_rows_pending": nvml.NVML_FI_DEV_REMAPPED_PENDING,
    "remapped_rows_failure": nvml.NVML_FI_DEV_REMAPPED_FAILURE,
    "retired_pages_pending": nvml.NVML_FI_DEV_RETIRED_PENDING,
    "c2c_up": nvml.NVML_FI_DEV_C2C_LINK_GET_STATUS,
}

LIMITED = {
    "sw_power_cap": nvml.NVML_FI_DEV_PERF_POLICY_POWER,
    "thermal": nvml.NVML_FI_DEV_PERF_POLICY_THERMAL,
    "sync_boost": nvml.NVML_FI_DEV_PERF_POLICY_SYNC_BOOST,
    "board_limit": nvml.NVML_FI_DEV_PERF_POLICY_BOARD_LIMIT,
    "low_utilization": nvml.NVML_FI_DEV_PERF_POLICY_LOW_UTILIZATION,
    "reliability": nvml.NVML_FI_DEV_PERF_POLICY_RELIABILITY,
    "base_clocks": nvml.NVML_FI_DEV_PERF_POLICY_TOTAL_BASE_CLOCKS,
}


def fields(gpu):
    def field(number, scope=0):
        answer = nvml.nvmlDeviceGetFieldValues(gpu, [(number, scope)])[0]
        if answer.nvmlReturn != nvml.NVML_SUCCESS:
            raise nvml.NVMLError(answer.nvmlReturn)
        return getattr(answer.value, VALUES[answer.valueType])

    def part(number, how=lambda value: value, scope=0):
        return convert(ask(lambda: field(number, scope)), how)

    def total(number):
        return sum(field(number, link) for link in range(links))

    read = {key: part(number) for key, number in COUNTS.items()}
    links = read["nvlink_count"] if isinstance(read["nvlink_count"], int) else 0
    read |= {key: part(number, bool) for key, number in FLAGS.items()}
    read |= {
        f"limited_by_{cause}_seconds": part(number, lambda nanoseconds: nanoseconds / 1e9)
        for cause, number in LIMITED.items()
    }
    # These ids were others from R575 until 580.82, and other fields before.
    driver = tuple(int(part) for part in text(nvml.nvmlSystemGetDriverVersion()).split(".")[:2])
    moved = 269 if driver >= (580, 82) else 251
    for place, cause in enumerate(("sw_thermal", "hw_thermal", "hw_power_brake")):
        known = part(moved + place, lambda nanoseconds: nanoseconds / 1e9)
        absent = {"error": nvml.NVML_ERROR_NOT_SUPPORTED}
        read[f"limited_by_{cause}_seconds"] = known if driver >= (575, 0) else absent
    watts = lambda milliwatts: milliwatts / 1000
    read["power_instant_watts"] = part(nvml.NVML_FI_DEV_POWER_INSTANT, watts)
    read["power_module_watts"] = part(nvml.NVML_FI_DEV_POWER_AVERAGE, watts, scope=1)
    read["recovery_action"] = part(nvml.NVML_FI_DEV_GET_GPU_RECOVERY_ACTION, lambda n: RECOVERY[n])
    read["c2c_link_bytes_per_second"] = part(nvml.NVML_FI_DEV_C2C_LINK_GET_MAX_BW, lambda mega: mega * 1000000)
    read["pcie_replays"] = ask(lambda: nvml.nvmlDeviceGetPcieReplayCounter(gpu))
    read["pcie_gpu_generation_max"] = ask(lambda: nvml.nvmlDeviceGetGpuMaxPcieLinkGeneration(gpu))
    return read | nvlinks(gpu, links, field, total)


def nvlinks(gpu, count, field, total):
    none = {"error": nvml.NVML_ERROR_NOT_SUPPORTED}
    read = {}
    for direction, older, newer in (
        ("tx", nvml.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX, nvml.NVML_FI_DEV_NVLINK_COUNT_XMIT_BYTES),
        ("rx", nvml.NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX, nvml.NVML_FI_DEV_NVLINK_COUNT_RCV_BYTES),
    ):
        known = ask(lambda: field(older, ALL_LINKS) * 1024, lambda: total(newer))
        read[f"nvlink_{direction}_bytes"] = known if count else none
    of_all = {
        "replays": (nvml.NVML_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL, nvml.NVML_FI_DEV_NVLINK_ERROR_DL_REPLAY),
        "recoveries": (
            nvml.NVML_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL,
            nvml.NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS,
        ),
        "flit_errors": (nvml.NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL, nvml.NVML_FI_DEV_NVLINK_ERROR_DL_CRC),
    }
    for name, (older, newer) in of_all.items():
        read[f"nvlink_{name}"] = ask(lambda: field(older), lambda: total(newer)) if count else none
    broken = nvml.NVML_FI_DEV_NVLINK_COUNT_RCV_ERRORS
    read["nvlink_receive_errors"] = ask(lambda: total(broken)) if count else none
    version = ask(lambda: nvml.nvmlDeviceGetNvLinkVersion(gpu, 0))
    read["nvlink_version"] = convert(version, lambda number: NVLINK[number])
    downs = ("REPLAY", "RECOVERY", "CRC")
    for link in range(count):
        up = ask(lambda: nvml.nvmlDeviceGetNvLinkState(gpu, link))
        read[f"nvlink_{link}_up"] = convert(up, bool)
        speed = ask(lambda: field(nvml.NVML_FI_DEV_NVLINK_GET_SPEED, link))
        read[f"nvlink_{link}_speed_bytes_per_second"] = convert(speed, lambda mega: mega * 1000000)
        read[f"nvlink_{link}_errors"] = ask(
            lambda: sum(field(getattr(nvml, f"NVML_FI_DEV_NVLINK_ERROR_DL_{name}"), link) for name in downs),
            lambda: field(broken, link) + field(nvml.NVML_FI_DEV_NVLINK_COUNT_LINK_RECOVERY_EVENTS, link),
        )
    for name in () if count else ("up", "speed_bytes_per_second", "errors"):
        read[f"nvlink_0_{name}"] = none
    return read | fabric(gpu)


def fabric(gpu):
    def ask_for(structure, version):
        info = structure()
        info.version = version
        nvml.nvmlDeviceGetGpuFabricInfoV(gpu, nvml.byref(info))
        return info

    info = ask(
        lambda: ask_for(nvml.c_nvmlGpuFabricInfo_v3_t, nvml.nvmlGpuFabricInfo_v3),
        lambda: ask_for(nvml.c_nvmlGpuFabricInfo_v2_t, nvml.nvmlGpuFabricInfo_v2),
    )
    states = (None, "not_started", "in_progress", "completed")
    healths = (None, "healthy", "unhealthy", "limited_capacity")
    return {
        "fabric_state": convert(info, lambda info: states[info.state]),
        "fabric_health": convert(info, lambda info: healths[getattr(info, "healthSummary", 0)]),
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
    parts = (
        identity,
        load,
        memory,
        heat,
        power,
        fans,
        clocks,
        links,
        fields,
        facts,
        mig_devices,
        instance_memory,
        engines,
    )
    gpus = [{key: value for part in parts for key, value in part(gpu).items()} for gpu in handles]
    listed = [process for index, gpu in enumerate(handles) for process in processes(gpu, index)]
    nvml.nvmlShutdown()
    json.dump({"driver": driver, "gpus": gpus, "processes": listed}, sys.stdout)


main()
