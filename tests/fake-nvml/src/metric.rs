//! The numbers of a GPU that change with time, and their names in a scenario.

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A number of a GPU that a waveform drives.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Metric { $($(#[$doc])* $variant,)* }

        impl Metric {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The key in `[gpu.metrics]`.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

metrics! {
    /// Percent of time with a kernel resident.
    Util = "util",
    /// Percent of time the memory controller was busy.
    MemUtil = "mem_util",
    Encoder = "encoder",
    Decoder = "decoder",
    Jpeg = "jpeg",
    Ofa = "ofa",
    Temperature = "temperature",
    MemoryTemperature = "memory_temperature",
    /// Percent, of every fan.
    Fan = "fan",
    FanRpm = "fan_rpm",
    /// Milliwatts, averaged over a second.
    Power = "power",
    PowerInstant = "power_instant",
    /// Milliwatts of the whole module, where it has a CPU too.
    ModulePower = "module_power",
    /// Millijoules since the driver was loaded.
    Energy = "energy",
    GraphicsClock = "graphics_clock",
    SmClock = "sm_clock",
    MemoryClock = "memory_clock",
    VideoClock = "video_clock",
    PState = "pstate",
    /// The bit mask of what holds the clocks down now.
    ClockReasons = "clock_reasons",
    /// Share of time (0 to 1) that the clocks were held down by each cause.
    LimitedPower = "limited_power",
    LimitedThermal = "limited_thermal",
    LimitedHwThermal = "limited_hw_thermal",
    LimitedPowerBrake = "limited_power_brake",
    LimitedSyncBoost = "limited_sync_boost",
    LimitedBoard = "limited_board",
    LimitedLowUtil = "limited_low_util",
    LimitedReliability = "limited_reliability",
    LimitedBaseClocks = "limited_base_clocks",
    MemoryUsed = "memory_used",
    Bar1Used = "bar1_used",
    /// Bytes per second.
    PcieTx = "pcie_tx",
    PcieRx = "pcie_rx",
    PcieReplay = "pcie_replay",
    PcieCorrectable = "pcie_correctable",
    PcieNak = "pcie_nak",
    PcieBadTlp = "pcie_bad_tlp",
    PcieNonFatal = "pcie_non_fatal",
    PcieFatal = "pcie_fatal",
    PcieGeneration = "pcie_generation",
    PcieWidth = "pcie_width",
    /// Bytes per second, of every link.
    NvlinkTx = "nvlink_tx",
    NvlinkRx = "nvlink_rx",
    NvlinkErrors = "nvlink_errors",
    EccCorrected = "ecc_corrected",
    EccUncorrected = "ecc_uncorrected",
    RemappedCorrected = "remapped_corrected",
    RemappedUncorrected = "remapped_uncorrected",
    RemapPending = "remap_pending",
    RemapFailed = "remap_failed",
    RetiredPages = "retired_pages",
    RetiredPending = "retired_pending",
    RecoveryAction = "recovery_action",
    /// Percent of time the bus was busy, where the driver counts it.
    Bus = "bus",
    /// Streams that are encoded, their frames per second, and microseconds for a frame.
    EncoderSessions = "encoder_sessions",
    EncoderFps = "encoder_fps",
    EncoderLatency = "encoder_latency",
    /// Bytes per second over the link to the processor on the same module.
    C2cTx = "c2c_tx",
    C2cRx = "c2c_rx",
}

impl Metric {
    /// The metric of that name in a scenario.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}
