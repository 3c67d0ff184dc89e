//! The metric tables: one row per number. Sampling, JSON, help and (later) panes are made from the rows.

use std::fmt;

use super::unit::Unit;

/// How a metric's readings follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A level that goes up and down.
    Gauge,
    /// A level that the driver measures while it is asked, so that the answer takes a while.
    Measured,
    /// A total that only grows until the driver is reloaded.
    Counter,
    /// Lasting: read once, and again when the driver changes.
    Fact,
    /// What [`super::derive()`] makes from two readings of a counter: its growth per second.
    RateOf(Metric),
    /// What [`super::derive()`] makes from two readings of a counter of seconds: the percentage of time that it grew by.
    ShareOf(Metric),
    /// A mean over the time since the previous reading, which the producer itself remembers.
    Interval,
}

impl Kind {
    /// Whether the first reading of a series cannot have a value.
    #[must_use]
    pub const fn needs_two_readings(self) -> bool {
        self.counter().is_some() || matches!(self, Self::Interval)
    }

    /// The counter that the metric is derived from.
    #[must_use]
    pub const fn counter(self) -> Option<Metric> {
        match self {
            Self::RateOf(counter) | Self::ShareOf(counter) => Some(counter),
            Self::Gauge | Self::Measured | Self::Counter | Self::Fact | Self::Interval => None,
        }
    }
}

/// How the number comes about, to stand after `It is`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Gauge => "what the driver says at the moment",
            Self::Measured => "measured by the driver while it is asked",
            Self::Counter => "a total that grows until the driver is reloaded",
            Self::Fact => "lasting, and read once",
            Self::Interval => "a mean over the time since the previous reading",
            Self::RateOf(counter) => {
                return write!(
                    f,
                    "the growth of {} in a second, from two readings",
                    counter.spec().id
                );
            }
            Self::ShareOf(counter) => {
                return write!(
                    f,
                    "the share of time that {} grew by, from two readings",
                    counter.spec().id
                );
            }
        };
        f.write_str(text)
    }
}

/// What there is one of for each value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// One value for the subject.
    One,
    /// One value for each fan of the GPU; `{}` in the id is the fan's number.
    Fan,
    /// One value for each NVLink of the GPU; `{}` in the id is the link's number.
    NvLink,
    /// One value for each GPU instance that MIG has made; `{}` in the id is its position among them.
    GpuInstance,
}

impl Per {
    /// How many slots a metric has on a GPU with these parts. Where there is none, one slot holds the reason.
    fn slots(self, instances: Instances) -> u16 {
        let (count, most) = match self {
            Self::One => (1, 1),
            Self::Fan => (instances.fans, Instances::MOST.fans),
            Self::NvLink => (instances.nvlinks, Instances::MOST.nvlinks),
            Self::GpuInstance => (instances.gpu_instances, Instances::MOST.gpu_instances),
        };
        count.clamp(1, most)
    }
}

/// How many parts of each kind a GPU has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Instances {
    /// Fans.
    pub fans: u16,
    /// NVLinks, also those that are down.
    pub nvlinks: u16,
    /// GPU instances that MIG has made.
    pub gpu_instances: u16,
}

impl Instances {
    /// More than any board has; a driver that claims more is not believed.
    pub const MOST: Self = Self { fans: 32, nvlinks: 64, gpu_instances: 16 };
}

/// Where a metric stands on a page that shows all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// How busy the parts of the GPU are.
    Load,
    /// The memory of the GPU.
    Memory,
    /// Power, temperature and fans.
    PowerAndHeat,
    /// Clocks and what limits them.
    Clocks,
    /// PCIe, and the other ways into the GPU.
    Links,
    /// What the parts of the GPU do, by its performance counters and beside its shaders.
    Engines,
    /// What MIG has made of the GPU.
    MigInstances,
    /// Errors, and what was done about them.
    Errors,
    /// The machine around the GPUs.
    Host,
    /// A process on a GPU.
    Process,
}

/// For how long a metric's readings are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum History {
    /// Only the newest.
    Newest,
    /// Ten minutes, every reading.
    TenMinutes,
    /// A day; beyond ten minutes as minimum, mean and maximum.
    Day,
}

/// One row of a metric table.
#[derive(Clone, Copy, Debug)]
pub struct MetricSpec {
    /// The key in JSON, with the unit as its ending.
    pub id: &'static str,
    /// A short name for the screen.
    pub label: &'static str,
    /// What the number is, in one paragraph.
    pub help: &'static str,
    /// What the number counts.
    pub unit: Unit,
    /// How readings follow one another.
    pub kind: Kind,
    /// What there is one value of.
    pub per: Per,
    /// Where it stands.
    pub group: Group,
    /// For how long its readings are kept.
    pub history: History,
}

/// Any of the metric tables.
pub trait TableMetric: Copy + 'static {
    /// Every metric of the table, in its order.
    const ALL: &'static [Self];
    /// The metric's row.
    fn spec(self) -> &'static MetricSpec;
}

/// Declares a table: an enum whose discriminants are its row numbers.
macro_rules! metrics {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $( $(#[doc = $help:literal])+
               $variant:ident = $id:literal, $label:literal, $unit:ident, $kind:ident $( ( $counter:expr ) )?, $per:ident, $group:ident, $history:ident; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $help])+ $variant, )+ }

        impl $name {
            /// Every metric of the table, in its order.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];
            /// How many rows the table has.
            pub const COUNT: usize = Self::ALL.len();

            const SPECS: &'static [MetricSpec] = {
                &[$( MetricSpec {
                    id: $id,
                    label: $label,
                    help: concat!($( $help ),+).trim_ascii_start(),
                    unit: Unit::$unit,
                    kind: Kind::$kind $( ( $counter ) )?,
                    per: Per::$per,
                    group: Group::$group,
                    history: History::$history,
                } ),+]
            };

            /// The metric's row.
            #[must_use]
            pub const fn spec(self) -> &'static MetricSpec {
                &Self::SPECS[self as usize]
            }
        }

        impl TableMetric for $name {
            const ALL: &'static [Self] = Self::ALL;
            fn spec(self) -> &'static MetricSpec { self.spec() }
        }
    };
}

metrics! {
    /// A number that a GPU reports about itself.
    Metric {
        /// Share of the last sample period (1/6 s to 1 s, by product) in which at least one kernel was resident. It says that the GPU was busy, not how full it was.
        Busy = "busy_percent", "busy", Percent, Gauge, One, Load, Day;
        /// Share of the last sample period in which memory was read or written. It is time, not bandwidth and not occupancy.
        MemoryController = "memory_controller_percent", "mem ctl", Percent, Gauge, One, Load, Day;
        /// How busy the video encoders were, over the driver's own sampling period.
        EncoderUtilization = "encoder_utilization_percent", "encoder", Percent, Gauge, One, Load, TenMinutes;
        /// How busy the video decoders were, over the driver's own sampling period.
        DecoderUtilization = "decoder_utilization_percent", "decoder", Percent, Gauge, One, Load, TenMinutes;
        /// Mean share of the time since the previous reading in which a streaming multiprocessor had work (GPM).
        SmActive = "sm_active_percent", "SM active", Percent, Interval, One, Engines, Day;
        /// Mean share of the warps that the streaming multiprocessors could hold and did hold (GPM).
        SmOccupancy = "sm_occupancy_percent", "SM occupancy", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which any tensor core worked (GPM).
        TensorActive = "tensor_active_percent", "tensor", Percent, Interval, One, Engines, TenMinutes;
        /// Mean share of the time in which the tensor cores did DFMA operations (GPM).
        TensorDfma = "tensor_dfma_active_percent", "tensor DFMA", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the tensor cores did HMMA operations: FP16, BF16, TF32 and FP8 (GPM).
        TensorHmma = "tensor_hmma_active_percent", "tensor HMMA", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the tensor cores did DMMA operations: FP64 (GPM).
        TensorDmma = "tensor_dmma_active_percent", "tensor DMMA", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the tensor cores did IMMA operations: integers (GPM).
        TensorImma = "tensor_imma_active_percent", "tensor IMMA", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the integer pipe worked (GPM).
        IntegerActive = "integer_active_percent", "integer", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the FP64 pipe worked (GPM).
        Fp64Active = "fp64_active_percent", "FP64", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the FP32 pipe worked (GPM).
        Fp32Active = "fp32_active_percent", "FP32", Percent, Interval, One, Engines, Newest;
        /// Mean share of the time in which the FP16 pipe worked, tensor cores apart (GPM).
        Fp16Active = "fp16_active_percent", "FP16", Percent, Interval, One, Engines, Newest;
        /// Mean share of the peak bandwidth of the memory that was used since the previous reading (GPM).
        DramBandwidth = "dram_bandwidth_percent", "DRAM bandwidth", Percent, Interval, One, Engines, Day;
        /// Mean share of the time in which a streaming multiprocessor of a MIG GPU instance had work (GPM).
        InstanceSmActive = "gpu_instance_{}_sm_active_percent", "MIG SM active", Percent, Interval, GpuInstance, MigInstances, TenMinutes;
        /// Mean share of the warps that a MIG GPU instance could hold and did hold (GPM).
        InstanceSmOccupancy = "gpu_instance_{}_sm_occupancy_percent", "MIG occupancy", Percent, Interval, GpuInstance, MigInstances, Newest;
        /// Mean share of the time in which any tensor core of a MIG GPU instance worked (GPM).
        InstanceTensorActive = "gpu_instance_{}_tensor_active_percent", "MIG tensor", Percent, Interval, GpuInstance, MigInstances, Newest;
        /// Mean share of its peak memory bandwidth that a MIG GPU instance used (GPM).
        InstanceDramBandwidth = "gpu_instance_{}_dram_bandwidth_percent", "MIG DRAM", Percent, Interval, GpuInstance, MigInstances, Newest;
        /// Share of the last second in which the graphics engine was busy, as the driver's power management counts it.
        DomainGpu = "domain_gpu_percent", "GPU 1 s", Percent, Gauge, One, Engines, Newest;
        /// Share of the last second in which the frame buffer was busy, as the driver's power management counts it.
        DomainFrameBuffer = "domain_framebuffer_percent", "frame buffer 1 s", Percent, Gauge, One, Engines, Newest;
        /// Share of the last second in which the video engine was busy, as the driver's power management counts it.
        DomainVideo = "domain_video_percent", "video 1 s", Percent, Gauge, One, Engines, Newest;
        /// Share of the last second in which the bus was busy, as the driver's power management counts it.
        DomainBus = "domain_bus_percent", "bus 1 s", Percent, Gauge, One, Engines, Newest;
        /// How busy the JPEG decoders were, over the driver's own sampling period.
        JpegUtilization = "jpeg_utilization_percent", "JPEG", Percent, Gauge, One, Engines, Newest;
        /// How busy the optical-flow accelerator was, over the driver's own sampling period.
        OpticalFlowUtilization = "optical_flow_utilization_percent", "optical flow", Percent, Gauge, One, Engines, Newest;
        /// Streams that the video encoders encode.
        EncoderSessions = "encoder_sessions", "encoder sessions", Number, Gauge, One, Engines, Newest;
        /// Mean frames per second of the streams that are encoded.
        EncoderFrameRate = "encoder_frame_rate_fps", "encoder rate", FramesPerSecond, Gauge, One, Engines, Newest;
        /// Mean time that encoding a frame takes.
        EncoderLatency = "encoder_latency_microseconds", "encoder latency", Microseconds, Gauge, One, Engines, Newest;

        /// All the memory of the GPU: used, reserved and free.
        MemoryTotal = "memory_total_bytes", "total", Bytes, Gauge, One, Memory, Day;
        /// Memory that programs hold. Old drivers count the reserved memory here.
        MemoryUsed = "memory_used_bytes", "used", Bytes, Gauge, One, Memory, Day;
        /// Memory that the driver and the firmware keep for themselves.
        MemoryReserved = "memory_reserved_bytes", "reserved", Bytes, Gauge, One, Memory, Newest;
        /// Memory that a program could still take.
        MemoryFree = "memory_free_bytes", "free", Bytes, Gauge, One, Memory, TenMinutes;
        /// The window through which the host and other devices reach the memory of the GPU.
        Bar1Total = "bar1_total_bytes", "BAR1 total", Bytes, Gauge, One, Links, Newest;
        /// What of that window is mapped.
        Bar1Used = "bar1_used_bytes", "BAR1 used", Bytes, Gauge, One, Links, Newest;
        /// Memory that programs hold in a MIG GPU instance.
        InstanceMemoryUsed = "gpu_instance_{}_memory_used_bytes", "MIG used", Bytes, Gauge, GpuInstance, MigInstances, TenMinutes;

        /// Temperature of the GPU.
        Temperature = "temperature_celsius", "temperature", Celsius, Gauge, One, PowerAndHeat, Day;
        /// Degrees that the GPU can still warm by before it is slowed down.
        SlowdownMargin = "temperature_slowdown_margin_celsius", "to slowdown", Celsius, Gauge, One, PowerAndHeat, TenMinutes;
        /// Power that the board draws: the mean of the last second from Ampere on (GA100 apart), the instant before.
        PowerDraw = "power_draw_watts", "power", Watts, Gauge, One, PowerAndHeat, Day;
        /// Power that the board draws at this instant.
        PowerInstant = "power_instant_watts", "power now", Watts, Gauge, One, PowerAndHeat, TenMinutes;
        /// Power that the module draws which the GPU shares with a processor: the mean of the last second.
        PowerModule = "power_module_watts", "module power", Watts, Gauge, One, PowerAndHeat, TenMinutes;
        /// Temperature of the memory.
        MemoryTemperature = "memory_temperature_celsius", "memory temp", Celsius, Gauge, One, PowerAndHeat, Day;
        /// Mean power since the previous reading, from the energy counter.
        PowerAverage = "power_average_watts", "mean power", Watts, RateOf(Metric::Energy), One, PowerAndHeat, Day;
        /// The power limit that holds now: the lowest of all that were set.
        PowerEnforcedLimit = "power_enforced_limit_watts", "power limit", Watts, Gauge, One, PowerAndHeat, Day;
        /// The power limit that holds until another one is set.
        PowerDefaultLimit = "power_default_limit_watts", "default limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// The lowest power limit that can be set.
        PowerMinimumLimit = "power_minimum_limit_watts", "lowest limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// The highest power limit that can be set.
        PowerMaximumLimit = "power_maximum_limit_watts", "highest limit", Watts, Fact, One, PowerAndHeat, Newest;
        /// Energy used since the driver was loaded.
        Energy = "energy_joules", "energy", Joules, Counter, One, PowerAndHeat, Newest;
        /// Whether the driver stays initialised while no program uses the GPU.
        PersistenceMode = "persistence_mode", "persistence", Flag, Gauge, One, PowerAndHeat, Newest;
        /// Intended speed of a fan as a share of its maximum in quiet operation; it may exceed 100.
        Fan = "fan_{}_percent", "fan", Percent, Gauge, Fan, PowerAndHeat, TenMinutes;
        /// Speed of a fan.
        FanSpeed = "fan_{}_speed_rpm", "fan speed", Rpm, Gauge, Fan, PowerAndHeat, Newest;
        /// Margin at which the GPU is shut down; a margin below zero is degrees past the limit.
        ShutdownTLimit = "temperature_shutdown_t_limit_celsius", "shutdown at", Celsius, Fact, One, PowerAndHeat, Newest;
        /// Margin at which the hardware slows the GPU down; a margin below zero is degrees past the limit.
        SlowdownTLimit = "temperature_slowdown_t_limit_celsius", "slowdown at", Celsius, Fact, One, PowerAndHeat, Newest;
        /// Margin of the memory at which the driver slows the GPU down.
        MemoryMaximumTLimit = "temperature_memory_max_t_limit_celsius", "memory max at", Celsius, Fact, One, PowerAndHeat, Newest;
        /// Margin of the GPU at which the driver slows it down.
        GpuMaximumTLimit = "temperature_gpu_max_t_limit_celsius", "GPU max at", Celsius, Fact, One, PowerAndHeat, Newest;

        /// Clock of the graphics engine.
        ClockGraphics = "clock_graphics_mhz", "graphics", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Clock of the streaming multiprocessors.
        ClockSm = "clock_sm_mhz", "SM", Megahertz, Gauge, One, Clocks, Day;
        /// Clock of the memory.
        ClockMemory = "clock_memory_mhz", "memory", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Clock of the video engines.
        ClockVideo = "clock_video_mhz", "video", Megahertz, Gauge, One, Clocks, TenMinutes;
        /// Highest clock of the graphics engine.
        ClockGraphicsMaximum = "clock_graphics_max_mhz", "graphics max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the streaming multiprocessors.
        ClockSmMaximum = "clock_sm_max_mhz", "SM max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the memory.
        ClockMemoryMaximum = "clock_memory_max_mhz", "memory max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Highest clock of the video engines.
        ClockVideoMaximum = "clock_video_max_mhz", "video max", Megahertz, Fact, One, Clocks, TenMinutes;
        /// Performance state: P0 is the fastest, P8 is idle, P15 the slowest.
        PerformanceState = "performance_state", "P-state", PerformanceState, Gauge, One, Clocks, TenMinutes;
        /// Why the clocks are not higher, at this instant.
        ClockEventReasons = "clock_event_reasons", "limited by", ClockEventReasons, Gauge, One, Clocks, Newest;

        /// Share of the time since the previous reading in which the driver held the clocks down to stay within the power limit.
        LimitedBySwPowerCap = "limited_by_sw_power_cap_percent", "power cap", Percent, ShareOf(Metric::LimitedBySwPowerCapTime), One, Clocks, Day;
        /// Share of the time since the previous reading in which the clocks waited for the slowest GPU of the sync group.
        LimitedBySyncBoost = "limited_by_sync_boost_percent", "sync boost", Percent, ShareOf(Metric::LimitedBySyncBoostTime), One, Clocks, TenMinutes;
        /// Share of the time since the previous reading in which the clocks were held down by heat of any kind, as the older counter tells it.
        LimitedByThermal = "limited_by_thermal_percent", "thermal", Percent, ShareOf(Metric::LimitedByThermalTime), One, Clocks, Day;
        /// Share of the time since the previous reading in which the driver held the clocks down because the GPU or its memory was warmer than its highest operating temperature.
        LimitedBySwThermal = "limited_by_sw_thermal_percent", "SW thermal", Percent, ShareOf(Metric::LimitedBySwThermalTime), One, Clocks, Day;
        /// Share of the time since the previous reading in which the hardware at least halved the clocks because the GPU was too hot.
        LimitedByHwThermal = "limited_by_hw_thermal_percent", "HW thermal", Percent, ShareOf(Metric::LimitedByHwThermalTime), One, Clocks, Day;
        /// Share of the time since the previous reading in which the hardware at least halved the clocks because the power supply or the rack asked for it.
        LimitedByPowerBrake = "limited_by_hw_power_brake_percent", "power brake", Percent, ShareOf(Metric::LimitedByPowerBrakeTime), One, Clocks, Day;
        /// Share of the time since the previous reading in which the clocks were held down by the limits of the board.
        LimitedByBoardLimit = "limited_by_board_limit_percent", "board limit", Percent, ShareOf(Metric::LimitedByBoardLimitTime), One, Clocks, TenMinutes;
        /// Share of the time since the previous reading in which the clocks were down because there was little to do.
        LimitedByLowUtilization = "limited_by_low_utilization_percent", "low use", Percent, ShareOf(Metric::LimitedByLowUtilizationTime), One, Clocks, TenMinutes;
        /// Share of the time since the previous reading in which the clocks were held down by the voltage that is reliable.
        LimitedByReliability = "limited_by_reliability_percent", "reliability", Percent, ShareOf(Metric::LimitedByReliabilityTime), One, Clocks, TenMinutes;
        /// Share of the time since the previous reading in which the clocks were below the base clocks for whatever reason.
        LimitedByBaseClocks = "limited_by_base_clocks_percent", "base clocks", Percent, ShareOf(Metric::LimitedByBaseClocksTime), One, Clocks, TenMinutes;
        /// Time since the driver was loaded in which the driver held the clocks down to stay within the power limit.
        LimitedBySwPowerCapTime = "limited_by_sw_power_cap_seconds", "power cap time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks waited for the slowest GPU of the sync group.
        LimitedBySyncBoostTime = "limited_by_sync_boost_seconds", "sync boost time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks were held down by heat of any kind, as the older counter tells it.
        LimitedByThermalTime = "limited_by_thermal_seconds", "thermal time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the driver held the clocks down because the GPU or its memory was warmer than its highest operating temperature.
        LimitedBySwThermalTime = "limited_by_sw_thermal_seconds", "SW thermal time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the hardware at least halved the clocks because the GPU was too hot.
        LimitedByHwThermalTime = "limited_by_hw_thermal_seconds", "HW thermal time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the hardware at least halved the clocks because the power supply or the rack asked for it.
        LimitedByPowerBrakeTime = "limited_by_hw_power_brake_seconds", "power brake time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks were held down by the limits of the board.
        LimitedByBoardLimitTime = "limited_by_board_limit_seconds", "board limit time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks were down because there was little to do.
        LimitedByLowUtilizationTime = "limited_by_low_utilization_seconds", "low use time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks were held down by the voltage that is reliable.
        LimitedByReliabilityTime = "limited_by_reliability_seconds", "reliability time", Seconds, Counter, One, Clocks, Newest;
        /// Time since the driver was loaded in which the clocks were below the base clocks for whatever reason.
        LimitedByBaseClocksTime = "limited_by_base_clocks_seconds", "base clocks time", Seconds, Counter, One, Clocks, Newest;

        /// PCIe generation of the link now. It falls when the GPU is idle.
        PcieLinkGeneration = "pcie_link_generation", "PCIe gen", Number, Gauge, One, Links, TenMinutes;
        /// Lanes of the PCIe link now.
        PcieLinkWidth = "pcie_link_width", "PCIe lanes", Number, Gauge, One, Links, TenMinutes;
        /// Highest PCIe generation that the GPU and its slot can both do.
        PcieLinkGenerationMaximum = "pcie_link_generation_max", "PCIe gen max", Number, Fact, One, Links, Newest;
        /// Highest PCIe generation that the GPU alone can do. Where the highest of the link is lower, the slot is the limit.
        PcieGpuGenerationMaximum = "pcie_gpu_generation_max", "PCIe gen GPU", Number, Fact, One, Links, Newest;
        /// Most lanes that the GPU and its slot can both do.
        PcieLinkWidthMaximum = "pcie_link_width_max", "PCIe lanes max", Number, Fact, One, Links, Newest;
        /// Traffic from the host to the GPU, measured by the driver over 20 ms.
        PcieRx = "pcie_rx_bytes_per_second", "PCIe rx", BytesPerSecond, Measured, One, Links, Day;
        /// Traffic from the GPU to the host, measured by the driver over 20 ms.
        PcieTx = "pcie_tx_bytes_per_second", "PCIe tx", BytesPerSecond, Measured, One, Links, Day;
        /// NVLinks that the GPU has, also those that are down.
        NvLinkCount = "nvlink_count", "NVLinks", Number, Fact, One, Links, Newest;
        /// Version of NVLink, as the first link tells it.
        NvLinkVersion = "nvlink_version", "NVLink version", NvLinkVersion, Gauge, One, Links, Newest;
        /// What came over all NVLinks since the driver was loaded, without what the protocol adds.
        NvLinkReceived = "nvlink_rx_bytes", "NVLink received", Bytes, Counter, One, Links, Newest;
        /// What comes over all NVLinks, without what the protocol adds: the mean since the previous reading.
        NvLinkRx = "nvlink_rx_bytes_per_second", "NVLink rx", BytesPerSecond, RateOf(Metric::NvLinkReceived), One, Links, Day;
        /// What went over all NVLinks since the driver was loaded, without what the protocol adds.
        NvLinkSent = "nvlink_tx_bytes", "NVLink sent", Bytes, Counter, One, Links, Newest;
        /// What goes over all NVLinks, without what the protocol adds: the mean since the previous reading.
        NvLinkTx = "nvlink_tx_bytes_per_second", "NVLink tx", BytesPerSecond, RateOf(Metric::NvLinkSent), One, Links, Day;
        /// Whether an NVLink is up.
        NvLinkUp = "nvlink_{}_up", "NVLink up", Flag, Gauge, NvLink, Links, Newest;
        /// What an NVLink can carry in each direction.
        NvLinkSpeed = "nvlink_{}_speed_bytes_per_second", "NVLink speed", BytesPerSecond, Gauge, NvLink, Links, Newest;
        /// How far the GPU has joined the NVLink fabric of its switches.
        FabricState = "fabric_state", "fabric", FabricState, Gauge, One, Links, Newest;
        /// How well the GPU's part of the NVLink fabric does.
        FabricHealth = "fabric_health", "fabric health", FabricHealth, Gauge, One, Links, Newest;
        /// Links between the GPU and the processor on its module.
        C2cLinkCount = "c2c_link_count", "C2C links", Number, Fact, One, Links, Newest;
        /// Whether the first link between the GPU and the processor on its module is up.
        C2cUp = "c2c_up", "C2C up", Flag, Gauge, One, Links, Newest;
        /// What a link between the GPU and the processor on its module can carry.
        C2cBandwidth = "c2c_link_bytes_per_second", "C2C speed", BytesPerSecond, Fact, One, Links, Newest;

        /// What has to be done for the GPU to work reliably again.
        RecoveryAction = "recovery_action", "recovery", RecoveryAction, Gauge, One, Errors, Newest;
        /// Whether errors of the memory are found and corrected (ECC).
        EccMode = "ecc_mode", "ECC", Flag, Gauge, One, Errors, Newest;
        /// Whether ECC will be on after the next reboot or reset.
        EccModePending = "ecc_mode_pending", "ECC pending", Flag, Gauge, One, Errors, Newest;
        /// Memory errors that were corrected since the driver was loaded.
        EccCorrectedVolatile = "ecc_corrected_volatile", "corrected", Count, Counter, One, Errors, Day;
        /// Memory errors in a second that were corrected, over the time since the previous reading.
        EccCorrectedRate = "ecc_corrected_per_second", "corrected rate", PerSecond, RateOf(Metric::EccCorrectedVolatile), One, Errors, TenMinutes;
        /// Memory errors that could not be corrected since the driver was loaded.
        EccUncorrectedVolatile = "ecc_uncorrected_volatile", "uncorrected", Count, Counter, One, Errors, Day;
        /// Memory errors that were corrected since the GPU was made.
        EccCorrectedAggregate = "ecc_corrected_aggregate", "corrected ever", Count, Counter, One, Errors, Newest;
        /// Memory errors that could not be corrected since the GPU was made.
        EccUncorrectedAggregate = "ecc_uncorrected_aggregate", "uncorrected ever", Count, Counter, One, Errors, Newest;
        /// Memory rows that were replaced by spare ones because errors in them were corrected.
        RemappedRowsCorrected = "remapped_rows_corrected", "rows remapped", Count, Gauge, One, Errors, TenMinutes;
        /// Memory rows that were replaced by spare ones because errors in them could not be corrected.
        RemappedRowsUncorrected = "remapped_rows_uncorrected", "rows uncorrected", Count, Gauge, One, Errors, TenMinutes;
        /// Whether a memory row waits for a reset of the GPU to be replaced.
        RemapPending = "remapped_rows_pending", "remap pending", Flag, Gauge, One, Errors, Newest;
        /// Whether replacing a memory row has failed, so that the GPU is to be replaced.
        RemapFailure = "remapped_rows_failure", "remap failure", Flag, Gauge, One, Errors, Newest;
        /// Memory pages that were given up because of several errors that were corrected. GPUs before Ampere do this.
        RetiredPagesCorrected = "retired_pages_corrected", "pages retired", Count, Gauge, One, Errors, TenMinutes;
        /// Memory pages that were given up because of an error that could not be corrected. GPUs before Ampere do this.
        RetiredPagesUncorrected = "retired_pages_uncorrected", "pages uncorrected", Count, Gauge, One, Errors, TenMinutes;
        /// Whether a memory page waits for a reboot to be given up.
        RetiredPagesPending = "retired_pages_pending", "pages pending", Flag, Gauge, One, Errors, Newest;
        /// PCIe packets that had to be sent again since the driver was loaded.
        PcieReplays = "pcie_replays", "PCIe replays", Count, Counter, One, Errors, TenMinutes;
        /// PCIe packets in a second that had to be sent again, over the time since the previous reading.
        PcieReplayRate = "pcie_replays_per_second", "PCIe replay rate", PerSecond, RateOf(Metric::PcieReplays), One, Errors, TenMinutes;
        /// Times that the PCIe link had to be recovered since the driver was loaded.
        PcieLinkRecoveries = "pcie_link_recoveries", "PCIe recoveries", Count, Counter, One, Errors, TenMinutes;
        /// PCIe link recoveries in a second, over the time since the previous reading.
        PcieLinkRecoveryRate = "pcie_link_recoveries_per_second", "PCIe recovery rate", PerSecond, RateOf(Metric::PcieLinkRecoveries), One, Errors, TenMinutes;
        /// PCIe errors that the hardware corrected since the driver was loaded.
        PcieCorrectableErrors = "pcie_correctable_errors", "PCIe corrected", Count, Counter, One, Errors, TenMinutes;
        /// PCIe errors in a second that the hardware corrected, over the time since the previous reading.
        PcieCorrectableErrorRate = "pcie_correctable_errors_per_second", "PCIe error rate", PerSecond, RateOf(Metric::PcieCorrectableErrors), One, Errors, TenMinutes;
        /// PCIe packets of the GPU that the other side refused since the driver was loaded.
        PcieNaksReceived = "pcie_naks_received", "PCIe NAKs in", Count, Counter, One, Errors, Newest;
        /// PCIe packets that the GPU refused since the driver was loaded.
        PcieNaksSent = "pcie_naks_sent", "PCIe NAKs out", Count, Counter, One, Errors, Newest;
        /// PCIe packets that came to the GPU broken since the driver was loaded.
        PcieBadPackets = "pcie_bad_packets", "PCIe bad packets", Count, Counter, One, Errors, Newest;
        /// PCIe errors that were not corrected and did not break the link, since the driver was loaded.
        PcieNonFatalErrors = "pcie_non_fatal_errors", "PCIe non-fatal", Count, Counter, One, Errors, TenMinutes;
        /// PCIe errors that broke the link since the driver was loaded.
        PcieFatalErrors = "pcie_fatal_errors", "PCIe fatal", Count, Counter, One, Errors, TenMinutes;
        /// Times that packets had to be sent again over all NVLinks, since the driver was loaded. GPUs up to Hopper count this.
        NvLinkReplays = "nvlink_replays", "NVLink replays", Count, Counter, One, Errors, TenMinutes;
        /// Times in a second that packets had to be sent again over any NVLink, over the time since the previous reading.
        NvLinkReplayRate = "nvlink_replays_per_second", "replay rate", PerSecond, RateOf(Metric::NvLinkReplays), One, Errors, TenMinutes;
        /// Times that an NVLink had to be recovered since the driver was loaded, over all of them.
        NvLinkRecoveries = "nvlink_recoveries", "NVLink recoveries", Count, Counter, One, Errors, TenMinutes;
        /// NVLink recoveries in a second, over the time since the previous reading.
        NvLinkRecoveryRate = "nvlink_recoveries_per_second", "recovery rate", PerSecond, RateOf(Metric::NvLinkRecoveries), One, Errors, TenMinutes;
        /// Flow-control units that came broken over any NVLink since the driver was loaded. GPUs up to Hopper count this.
        NvLinkFlitErrors = "nvlink_flit_errors", "NVLink flit CRC", Count, Counter, One, Errors, TenMinutes;
        /// Flow-control units in a second that came broken over any NVLink, over the time since the previous reading.
        NvLinkFlitErrorRate = "nvlink_flit_errors_per_second", "flit CRC rate", PerSecond, RateOf(Metric::NvLinkFlitErrors), One, Errors, TenMinutes;
        /// Data packets that came broken over any NVLink since the driver was loaded. GPUs up to Hopper count this.
        NvLinkDataErrors = "nvlink_data_errors", "NVLink data CRC", Count, Counter, One, Errors, TenMinutes;
        /// Packets that came broken over any NVLink since the driver was loaded. GPUs from Blackwell on count this.
        NvLinkReceiveErrors = "nvlink_receive_errors", "NVLink rx errors", Count, Counter, One, Errors, TenMinutes;
        /// Packets in a second that came broken over any NVLink, over the time since the previous reading.
        NvLinkReceiveErrorRate = "nvlink_receive_errors_per_second", "rx error rate", PerSecond, RateOf(Metric::NvLinkReceiveErrors), One, Errors, TenMinutes;
        /// Replays, recoveries and broken packets of an NVLink since the driver was loaded, added up.
        NvLinkErrors = "nvlink_{}_errors", "NVLink errors", Count, Counter, NvLink, Errors, Newest;
        /// Mean traffic from the host to the GPU since the previous reading (GPM).
        PcieMeanRx = "pcie_mean_rx_bytes_per_second", "PCIe mean rx", BytesPerSecond, Interval, One, Links, TenMinutes;
        /// Mean traffic from the GPU to the host since the previous reading (GPM).
        PcieMeanTx = "pcie_mean_tx_bytes_per_second", "PCIe mean tx", BytesPerSecond, Interval, One, Links, TenMinutes;
        /// Mean traffic that all NVLinks together received since the previous reading (GPM).
        NvLinkMeanRx = "nvlink_mean_rx_bytes_per_second", "NVLink mean rx", BytesPerSecond, Interval, One, Links, TenMinutes;
        /// Mean traffic that all NVLinks together sent since the previous reading (GPM).
        NvLinkMeanTx = "nvlink_mean_tx_bytes_per_second", "NVLink mean tx", BytesPerSecond, Interval, One, Links, TenMinutes;
        /// Mean traffic from the processor to the GPU over the link between the chips, protocol included (GPM).
        C2cMeanRx = "c2c_mean_rx_bytes_per_second", "C2C rx", BytesPerSecond, Interval, One, Links, Newest;
        /// Mean traffic from the GPU to the processor over the link between the chips, protocol included (GPM).
        C2cMeanTx = "c2c_mean_tx_bytes_per_second", "C2C tx", BytesPerSecond, Interval, One, Links, Newest;
        /// Mean payload from the processor to the GPU over the link between the chips (GPM).
        C2cMeanDataRx = "c2c_mean_data_rx_bytes_per_second", "C2C data rx", BytesPerSecond, Interval, One, Links, Newest;
        /// Mean payload from the GPU to the processor over the link between the chips (GPM).
        C2cMeanDataTx = "c2c_mean_data_tx_bytes_per_second", "C2C data tx", BytesPerSecond, Interval, One, Links, Newest;
    }
}

metrics! {
    /// A number about a process on a GPU.
    ProcessMetric {
        /// GPU memory that the process holds: the largest of what the compute, graphics and MPS lists say of it.
        GpuMemory = "gpu_memory_bytes", "memory", Bytes, Gauge, One, Process, Newest;
        /// Share of time in which the process had kernels on the streaming multiprocessors.
        Sm = "sm_percent", "SM", Percent, Gauge, One, Process, Newest;
        /// Share of time in which the process read or wrote GPU memory.
        MemoryController = "memory_controller_percent", "mem ctl", Percent, Gauge, One, Process, Newest;
        /// The process's share of the video encoders.
        Encoder = "encoder_utilization_percent", "encoder", Percent, Gauge, One, Process, Newest;
        /// The process's share of the video decoders.
        Decoder = "decoder_utilization_percent", "decoder", Percent, Gauge, One, Process, Newest;
        /// Processor time since the previous reading; 100 is one core.
        Cpu = "cpu_percent", "CPU", Percent, Interval, One, Process, Newest;
        /// Memory of the host that the process holds resident.
        ResidentMemory = "resident_memory_bytes", "RSS", Bytes, Gauge, One, Process, Newest;
        /// Time since the process started.
        RunTime = "run_time_seconds", "time", Seconds, Gauge, One, Process, Newest;
    }
}

metrics! {
    /// A number about the machine around the GPUs.
    HostMetric {
        /// Share of all processors' time that was not idle since the previous reading.
        Cpu = "cpu_percent", "CPU", Percent, Interval, One, Host, Day;
        /// Logical processors.
        CpuCount = "cpu_count", "CPUs", Number, Fact, One, Host, Newest;
        /// Mean number of running or waiting tasks over 1 minute.
        Load1 = "load_average_1m", "load 1 min", Number, Gauge, One, Host, TenMinutes;
        /// Mean number of running or waiting tasks over 5 minutes.
        Load5 = "load_average_5m", "load 5 min", Number, Gauge, One, Host, Newest;
        /// Mean number of running or waiting tasks over 15 minutes.
        Load15 = "load_average_15m", "load 15 min", Number, Gauge, One, Host, Newest;
        /// Memory of the machine.
        MemoryTotal = "memory_total_bytes", "total", Bytes, Gauge, One, Host, Newest;
        /// Memory in use: the total less what is available.
        MemoryUsed = "memory_used_bytes", "used", Bytes, Gauge, One, Host, Day;
        /// Memory that programs could take without swapping.
        MemoryAvailable = "memory_available_bytes", "available", Bytes, Gauge, One, Host, TenMinutes;
        /// Swap space.
        SwapTotal = "swap_total_bytes", "swap total", Bytes, Gauge, One, Host, Newest;
        /// Swap space in use.
        SwapUsed = "swap_used_bytes", "swap used", Bytes, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for a processor.
        PressureCpuSome = "pressure_cpu_some_percent", "CPU pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for memory.
        PressureMemorySome = "pressure_memory_some_percent", "memory pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which every busy task waited for memory.
        PressureMemoryFull = "pressure_memory_full_percent", "memory stall", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which some task waited for input or output.
        PressureIoSome = "pressure_io_some_percent", "IO pressure", Percent, Gauge, One, Host, TenMinutes;
        /// Share of the last 10 s in which every busy task waited for input or output.
        PressureIoFull = "pressure_io_full_percent", "IO stall", Percent, Gauge, One, Host, TenMinutes;
    }
}

/// One place for a value of a GPU: a metric, and which of its instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The metric.
    pub metric: Metric,
    /// The number of the fan, the link or the instance for a metric that has several values, else 0.
    pub instance: u32,
}

impl Slot {
    /// The slot's key in JSON.
    #[must_use]
    pub fn key(self) -> std::borrow::Cow<'static, str> {
        let spec = self.metric.spec();
        match spec.per {
            Per::One => spec.id.into(),
            Per::Fan | Per::NvLink | Per::GpuInstance => {
                spec.id.replace("{}", &self.instance.to_string()).into()
            }
        }
    }
}

/// The order of one GPU's slots: the table's, with the instances of a metric side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// `starts[m]..starts[m + 1]` are the slots of metric number `m`.
    starts: [u16; Metric::COUNT + 1],
}

impl Layout {
    /// The layout of a GPU with these parts.
    #[must_use]
    pub fn new(instances: Instances) -> Self {
        let mut starts = [0; Metric::COUNT + 1];
        for (number, metric) in Metric::ALL.iter().enumerate() {
            starts[number + 1] = starts[number] + metric.spec().per.slots(instances);
        }
        Self { starts }
    }

    /// How many slots there are.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.starts[Metric::COUNT])
    }

    /// Whether there is no slot; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Which slots belong to `metric`.
    #[must_use]
    pub fn slots_of(&self, metric: Metric) -> std::ops::Range<usize> {
        let number = metric as usize;
        usize::from(self.starts[number])..usize::from(self.starts[number + 1])
    }

    /// Every slot in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        Metric::ALL.iter().flat_map(|&metric| {
            (0u32..).zip(self.slots_of(metric)).map(move |(instance, _)| Slot { metric, instance })
        })
    }
}

const SET_WORDS: usize = Metric::COUNT.div_ceil(64);

/// A set of GPU metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricSet([u64; SET_WORDS]);

impl MetricSet {
    /// No metric.
    pub const NONE: Self = Self([0; SET_WORDS]);

    /// Every metric.
    #[must_use]
    pub fn all() -> Self {
        Metric::ALL.iter().copied().collect()
    }

    /// The set with `metric` in it.
    #[must_use]
    pub const fn with(mut self, metric: Metric) -> Self {
        let number = metric as usize;
        self.0[number / 64] |= 1 << (number % 64);
        self
    }

    /// Whether `metric` is in the set.
    #[must_use]
    pub const fn contains(&self, metric: Metric) -> bool {
        let number = metric as usize;
        self.0[number / 64] & (1 << (number % 64)) != 0
    }

    /// Whether any of `metrics` is in the set.
    #[must_use]
    pub fn contains_any(&self, metrics: &[Metric]) -> bool {
        metrics.iter().any(|metric| self.contains(*metric))
    }
}

impl FromIterator<Metric> for MetricSet {
    fn from_iter<I: IntoIterator<Item = Metric>>(metrics: I) -> Self {
        metrics.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        History, HostMetric, Instances, Kind, Layout, Metric, MetricSet, MetricSpec, ProcessMetric,
        TableMetric, Unit,
    };
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn specs<M: TableMetric>() -> Vec<&'static MetricSpec> {
        M::ALL.iter().map(|metric| metric.spec()).collect()
    }

    #[test]
    fn every_row_is_whole_and_says_its_unit() {
        for table in [specs::<Metric>(), specs::<ProcessMetric>(), specs::<HostMetric>()] {
            let ids: BTreeSet<_> = table.iter().map(|spec| spec.id).collect();
            assert_eq!(ids.len(), table.len(), "ids are unique");
            for spec in table {
                assert!(spec.id.ends_with(spec.unit.key_ending()), "{}", spec.id);
                assert!(spec.help.ends_with('.') && !spec.help.starts_with(' '), "{}", spec.id);
                assert!(!spec.label.is_empty(), "{}", spec.id);
            }
        }
    }

    #[test]
    fn what_has_no_mean_is_not_kept() {
        let specs = Metric::ALL.iter().map(|metric| metric.spec());
        for spec in specs.filter(|spec| spec.unit.has_no_mean()) {
            assert_eq!(spec.history, History::Newest, "{}", spec.id);
        }
    }

    #[test]
    fn rates_are_of_counters() {
        for metric in Metric::ALL {
            if let Some(counter) = metric.spec().kind.counter() {
                assert_eq!(counter.spec().kind, Kind::Counter);
                assert_eq!(counter.spec().per, metric.spec().per);
            }
            if let Kind::ShareOf(counter) = metric.spec().kind {
                assert_eq!(
                    (counter.spec().unit, metric.spec().unit),
                    (Unit::Seconds, Unit::Percent)
                );
            }
        }
    }

    proptest! {
        #[test]
        fn slots_are_dense_and_in_table_order(
            fans in any::<u16>(),
            nvlinks in any::<u16>(),
            gpu_instances in any::<u16>(),
        ) {
            let layout = Layout::new(Instances { fans, nvlinks, gpu_instances });
            let slots: Vec<_> = layout.slots().collect();
            prop_assert_eq!(slots.len(), layout.len());
            for (number, slot) in slots.iter().enumerate() {
                let range = layout.slots_of(slot.metric);
                prop_assert_eq!(range.start + slot.instance as usize, number);
            }
            let keys: BTreeSet<_> = slots.iter().map(|slot| slot.key()).collect();
            prop_assert_eq!(keys.len(), layout.len());
        }

        #[test]
        fn a_set_holds_what_was_put_in(picks in proptest::collection::vec(0..Metric::COUNT, 0..20)) {
            let set: MetricSet = picks.iter().map(|&n| Metric::ALL[n]).collect();
            for (number, metric) in Metric::ALL.iter().enumerate() {
                prop_assert_eq!(set.contains(*metric), picks.contains(&number));
            }
        }
    }
}
