//! The machines that the demo has, as tables. All names in them are made up.

use super::boards::{GB10, H100, RTX_4060_LAPTOP, RTX_4090};
use super::preset::{Board, EventRow, GpuRow, MigRow, Preset, ProcessRow};
use super::signal::Signal::{self, Fixed, Load};
use super::wave::Wave;
use crate::model::Absent::{Mig, NotSupported};
use crate::model::{EventKind, EventType, HostMetric, Metric, ProcessKinds};

const GIB: f64 = 1_073_741_824.0;
const MIB: f64 = 1_048_576.0;

/// What is near to the GPUs of a server with two processors.
const NODE_0: Option<(&str, &str)> = Some(("0", "0-47,96-143"));
const NODE_1: Option<(&str, &str)> = Some(("1", "48-95,144-191"));
/// An H100 in three parts.
const DIVIDED: &[MigRow] = &[
    MigRow { gpu_instance: 1, profile: "2g.20gb", memory: 20_096 },
    MigRow { gpu_instance: 2, profile: "2g.20gb", memory: 20_096 },
    MigRow { gpu_instance: 9, profile: "1g.10gb", memory: 9_984 },
];

const NONE: Wave = Wave(&[(0.0, 0.0), (1.0, 0.0)]);
/// A training step after the other, with a pause for a checkpoint every five minutes.
const TRAINING: Wave =
    Wave(&[(0.0, 0.95), (280.0, 0.96), (282.0, 0.12), (294.0, 0.1), (296.0, 0.95), (300.0, 0.95)]);
const FULL: Wave = Wave(&[(0.0, 1.0), (1.0, 1.0)]);
/// Requests that come and go.
const SERVING: Wave = Wave(&[
    (0.0, 0.34),
    (9.0, 0.52),
    (21.0, 0.18),
    (30.0, 0.71),
    (44.0, 0.4),
    (58.0, 0.27),
    (70.0, 0.34),
]);
/// Work of a few seconds between long waits for data.
const WAITING: Wave =
    Wave(&[(0.0, 0.04), (25.0, 0.03), (26.0, 0.22), (28.0, 0.22), (29.0, 0.04), (30.0, 0.04)]);
/// One frame after the other, then a new scene is read.
const RENDERING: Wave =
    Wave(&[(0.0, 0.88), (3.0, 0.99), (34.0, 1.0), (35.0, 0.3), (44.0, 0.25), (48.0, 0.88)]);
/// A person at a desktop.
const DESKTOP: Wave =
    Wave(&[(0.0, 0.06), (8.0, 0.04), (9.0, 0.31), (15.0, 0.28), (17.0, 0.05), (60.0, 0.06)]);
/// A minute of work, then nothing.
const LAPTOP_WORK: Wave = Wave(&[
    (0.0, 0.62),
    (40.0, 0.7),
    (45.0, 0.7),
    (46.0, 0.0),
    (110.0, 0.0),
    (114.0, 0.5),
    (120.0, 0.62),
]);
/// Awake for as long as there is work and a little longer.
const LAPTOP_AWAKE: Wave =
    Wave(&[(0.0, 1.0), (60.0, 1.0), (60.0, 0.0), (105.0, 0.0), (105.0, 1.0), (120.0, 1.0)]);

const COMPUTE: ProcessKinds = ProcessKinds { compute: true, graphics: false, mps: false };
const GRAPHICS: ProcessKinds = ProcessKinds { compute: false, graphics: true, mps: false };
const BOTH: ProcessKinds = ProcessKinds { compute: true, graphics: true, mps: false };

const TRAINER: (u32, &str) = (1001, "trainer");
const BATCH: (u32, &str) = (1002, "batch");
const SERVICE: (u32, &str) = (990, "inference");
const DESK: (u32, &str) = (1000, "desk");

const fn gpu(board: &'static Board, pci_bus_id: &'static str, load: Wave) -> GpuRow {
    GpuRow {
        board,
        pci_bus_id,
        mig: Err(NotSupported),
        mig_devices: &[],
        near: None,
        load,
        lag_s: 0.0,
        awake: None,
        but: &[],
    }
}

const fn process(
    gpu: usize,
    pid: u32,
    user: (u32, &'static str),
    command: &'static str,
    memory: Wave,
) -> ProcessRow {
    ProcessRow {
        gpu,
        pid,
        kinds: COMPUTE,
        instance: None,
        user,
        command,
        age_s: 11_640,
        memory,
        sm: Ok(1.0),
        encoder: Ok(0.0),
        cpu: 100.0,
        resident: 6.4,
    }
}

const fn mig_process(
    gpu_instance: u32,
    pid: u32,
    command: &'static str,
    memory: Wave,
) -> ProcessRow {
    ProcessRow {
        instance: Some((gpu_instance, 0)),
        sm: Err(Mig),
        encoder: Err(Mig),
        ..process(0, pid, BATCH, command, memory)
    }
}

/// What a server's own numbers look like; a desktop's are smaller.
const SERVER: &[(HostMetric, Signal)] = &[
    (HostMetric::Cpu, Load { idle: 2.0, full: 40.0 }),
    (HostMetric::CpuCount, Fixed(192.0)),
    (HostMetric::Load1, Load { idle: 1.0, full: 76.0 }),
    (HostMetric::Load5, Fixed(68.41)),
    (HostMetric::Load15, Fixed(66.02)),
    (HostMetric::MemoryTotal, Fixed(2015.0 * GIB)),
    (HostMetric::MemoryUsed, Fixed(418.0 * GIB)),
    (HostMetric::MemoryAvailable, Fixed(1597.0 * GIB)),
    (HostMetric::SwapTotal, Fixed(0.0)),
    (HostMetric::SwapUsed, Fixed(0.0)),
    (HostMetric::PressureCpuSome, Load { idle: 0.0, full: 3.0 }),
    (HostMetric::PressureMemorySome, Fixed(0.0)),
    (HostMetric::PressureMemoryFull, Fixed(0.0)),
    (HostMetric::PressureIoSome, Load { idle: 0.0, full: 7.0 }),
    (HostMetric::PressureIoFull, Load { idle: 0.0, full: 5.0 }),
];

const WORKSTATION: &[(HostMetric, Signal)] = &[
    (HostMetric::Cpu, Load { idle: 4.0, full: 55.0 }),
    (HostMetric::CpuCount, Fixed(24.0)),
    (HostMetric::Load1, Load { idle: 0.4, full: 9.0 }),
    (HostMetric::Load5, Fixed(3.17)),
    (HostMetric::Load15, Fixed(2.62)),
    (HostMetric::MemoryTotal, Fixed(62.0 * GIB)),
    (HostMetric::MemoryUsed, Fixed(19.0 * GIB)),
    (HostMetric::MemoryAvailable, Fixed(43.0 * GIB)),
    (HostMetric::SwapTotal, Fixed(16.0 * GIB)),
    (HostMetric::SwapUsed, Fixed(0.0)),
];

const UNIFIED: &[(HostMetric, Signal)] = &[
    (HostMetric::Cpu, Load { idle: 1.0, full: 22.0 }),
    (HostMetric::CpuCount, Fixed(20.0)),
    (HostMetric::Load1, Load { idle: 0.2, full: 5.0 }),
    (HostMetric::Load5, Fixed(2.9)),
    (HostMetric::Load15, Fixed(2.41)),
    (HostMetric::MemoryTotal, Fixed(119.0 * GIB)),
    (HostMetric::MemoryUsed, Fixed(81.0 * GIB)),
    (HostMetric::MemoryAvailable, Fixed(38.0 * GIB)),
    (HostMetric::SwapTotal, Fixed(16.0 * GIB)),
    (HostMetric::SwapUsed, Fixed(0.0)),
];

const RANK_MEMORY: Wave =
    Wave(&[(0.0, 61.2), (282.0, 61.2), (282.0, 66.5), (296.0, 66.5), (296.0, 61.2), (300.0, 61.2)]);
const SHARD_MEMORY: Wave = Wave(&[(0.0, 72.9), (1.0, 72.9)]);
const HELD_MEMORY: Wave = Wave(&[(0.0, 31.4), (1.0, 31.4)]);
/// Batches of growing length, then all of it is given back.
const GROWING_MEMORY: Wave = Wave(&[
    (0.0, 12.0),
    (20.0, 12.0),
    (20.0, 24.5),
    (40.0, 24.5),
    (40.0, 41.0),
    (60.0, 41.0),
    (60.0, 55.8),
    (70.0, 55.8),
]);

const ECC: EventKind = EventKind::Type(EventType(0x1));

const fn event(at_s: f64, gpu: usize, kind: EventKind, message: &'static str) -> EventRow {
    EventRow { at_s, gpu, kind, process: None, message, instance: None }
}

const H100_EVENTS: &[EventRow] = &[
    event(-5_430.0, 7, EventKind::Xid(63), "Row Remapper: New row marked for remapping"),
    event(21.0, 4, ECC, ""),
    EventRow {
        process: Some((52_907, "python")),
        ..event(48.0, 5, EventKind::Xid(31), "Ch 00000012, MMU Fault: ENGINE GRAPHICS faulted")
    },
    EventRow {
        process: Some((52_907, "python")),
        ..event(48.2, 5, EventKind::Xid(45), "Ch 00000012")
    },
    event(75.0, 4, ECC, ""),
];

const GEFORCE_EVENTS: &[EventRow] = &[EventRow {
    process: Some((9_120, "render")),
    ..event(-310.0, 0, EventKind::Xid(13), "Graphics SM Warp Exception: Out Of Range Address")
}];

const MIG_EVENTS: &[EventRow] = &[EventRow {
    process: Some((31_502, "python")),
    instance: Some((9, 0)),
    ..event(33.0, 0, EventKind::Xid(94), "Contained: SM")
}];

/// Every preset; the first is what `--demo` alone means.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "h100",
        about: "server with 8 H100: training, serving, waiting and idle GPUs",
        host: "demo-h100",
        versions: ("580.95.05", "13.0"),
        nvlinks: 18,
        gpus: &[
            GpuRow { mig: Ok(false), near: NODE_0, ..gpu(&H100, "0000:18:00.0", TRAINING) },
            GpuRow {
                mig: Ok(false),
                near: NODE_0,
                but: &[
                    (Metric::ClockSm, Load { idle: 1980.0, full: 1680.0 }),
                    (Metric::ClockGraphics, Load { idle: 1980.0, full: 1680.0 }),
                    (Metric::ClockEventReasons, Signal::Reasons { full: 0x4 }),
                    (Metric::LimitedBySwPowerCapTime, Signal::TimeAtFull),
                ],
                ..gpu(&H100, "0000:2a:00.0", FULL)
            },
            GpuRow {
                mig: Ok(false),
                near: NODE_0,
                lag_s: 0.4,
                ..gpu(&H100, "0000:3a:00.0", TRAINING)
            },
            GpuRow {
                mig: Ok(false),
                near: NODE_0,
                lag_s: 0.7,
                ..gpu(&H100, "0000:5d:00.0", TRAINING)
            },
            GpuRow { mig: Ok(false), near: NODE_1, ..gpu(&H100, "0000:9a:00.0", SERVING) },
            GpuRow { mig: Ok(false), near: NODE_1, ..gpu(&H100, "0000:ab:00.0", WAITING) },
            GpuRow {
                mig: Ok(false),
                near: NODE_1,
                lag_s: 31.0,
                ..gpu(&H100, "0000:ba:00.0", SERVING)
            },
            GpuRow { mig: Ok(false), near: NODE_1, ..gpu(&H100, "0000:db:00.0", NONE) },
        ],
        processes: &[
            process(0, 41_200, TRAINER, "python train.py --config base.toml --rank 0", RANK_MEMORY),
            process(1, 41_201, TRAINER, "python train.py --config base.toml --rank 1", RANK_MEMORY),
            process(2, 41_202, TRAINER, "python train.py --config base.toml --rank 2", RANK_MEMORY),
            process(3, 41_203, TRAINER, "python train.py --config base.toml --rank 3", RANK_MEMORY),
            ProcessRow {
                cpu: 34.0,
                age_s: 190_500,
                resident: 11.8,
                ..process(4, 2_311, SERVICE, "serve --model large --port 8000", SHARD_MEMORY)
            },
            ProcessRow {
                cpu: 7.0,
                resident: 3.2,
                ..process(5, 52_907, TRAINER, "python -m notebook explore.ipynb", HELD_MEMORY)
            },
            ProcessRow {
                age_s: 2_405,
                ..process(6, 60_118, BATCH, "embed --input corpus/ --batch auto", GROWING_MEMORY)
            },
        ],
        events: H100_EVENTS,
        host_load: TRAINING,
        host_signals: SERVER,
    },
    Preset {
        name: "geforce",
        about: "desktop with a GeForce RTX 4090 that renders and draws the screen",
        host: "demo-desktop",
        versions: ("580.95.05", "13.0"),
        nvlinks: 0,
        gpus: &[gpu(&RTX_4090, "0000:01:00.0", RENDERING)],
        processes: &[
            ProcessRow {
                kinds: GRAPHICS,
                sm: Ok(0.03),
                cpu: 3.0,
                resident: 0.2,
                age_s: 64_000,
                ..process(0, 1_871, DESK, "compositor", Wave(&[(0.0, 0.4), (1.0, 0.4)]))
            },
            ProcessRow {
                kinds: BOTH,
                sm: Ok(0.02),
                cpu: 11.0,
                resident: 0.9,
                age_s: 21_300,
                ..process(0, 4_402, DESK, "web --type=gpu-process", Wave(&[(0.0, 0.7), (1.0, 0.7)]))
            },
            ProcessRow {
                sm: Ok(0.94),
                encoder: Ok(0.23),
                cpu: 240.0,
                resident: 9.5,
                age_s: 3_100,
                ..process(
                    0,
                    9_120,
                    DESK,
                    "/opt/render/bin/render --scene harbour.scene --frames 1-240",
                    Wave(&[
                        (0.0, 14.2),
                        (35.0, 14.2),
                        (35.0, 3.1),
                        (44.0, 3.1),
                        (44.0, 14.2),
                        (48.0, 14.2),
                    ]),
                )
            },
        ],
        events: GEFORCE_EVENTS,
        host_load: RENDERING,
        host_signals: WORKSTATION,
    },
    Preset {
        name: "laptop",
        about: "laptop with a GeForce RTX 4060 that is suspended while nothing uses it",
        host: "demo-laptop",
        versions: ("580.95.05", "13.0"),
        nvlinks: 0,
        gpus: &[GpuRow {
            awake: Some(LAPTOP_AWAKE),
            ..gpu(&RTX_4060_LAPTOP, "0000:01:00.0", LAPTOP_WORK)
        }],
        processes: &[ProcessRow {
            kinds: BOTH,
            cpu: 61.0,
            resident: 1.1,
            age_s: 840,
            ..process(0, 7_733, DESK, "render --preview", Wave(&[(0.0, 1.8), (1.0, 1.8)]))
        }],
        events: &[],
        host_load: DESKTOP,
        host_signals: WORKSTATION,
    },
    Preset {
        name: "laptop-asleep",
        about: "the same laptop while its GPU is suspended",
        host: "demo-laptop",
        versions: ("580.95.05", "13.0"),
        nvlinks: 0,
        gpus: &[GpuRow { awake: Some(NONE), ..gpu(&RTX_4060_LAPTOP, "0000:01:00.0", NONE) }],
        processes: &[],
        events: &[],
        host_load: DESKTOP,
        host_signals: WORKSTATION,
    },
    Preset {
        name: "mig",
        about: "server with 2 H100, the first divided into MIG instances",
        host: "demo-mig",
        versions: ("580.95.05", "13.0"),
        nvlinks: 18,
        gpus: &[
            GpuRow {
                mig: Ok(true),
                mig_devices: DIVIDED,
                near: NODE_0,
                but: &[
                    (Metric::Busy, Signal::Absent(Mig)),
                    (Metric::MemoryController, Signal::Absent(Mig)),
                    (Metric::EncoderUtilization, Signal::Absent(Mig)),
                    (Metric::DecoderUtilization, Signal::Absent(Mig)),
                    (Metric::SmActive, Signal::Absent(Mig)),
                    (Metric::SmOccupancy, Signal::Absent(Mig)),
                    (Metric::TensorActive, Signal::Absent(Mig)),
                    (Metric::TensorDfma, Signal::Absent(Mig)),
                    (Metric::TensorHmma, Signal::Absent(Mig)),
                    (Metric::TensorDmma, Signal::Absent(Mig)),
                    (Metric::TensorImma, Signal::Absent(Mig)),
                    (Metric::IntegerActive, Signal::Absent(Mig)),
                    (Metric::Fp64Active, Signal::Absent(Mig)),
                    (Metric::Fp32Active, Signal::Absent(Mig)),
                    (Metric::Fp16Active, Signal::Absent(Mig)),
                    (Metric::DramBandwidth, Signal::Absent(Mig)),
                    (Metric::PcieMeanRx, Signal::Absent(Mig)),
                    (Metric::PcieMeanTx, Signal::Absent(Mig)),
                    (Metric::NvLinkMeanRx, Signal::Absent(Mig)),
                    (Metric::NvLinkMeanTx, Signal::Absent(Mig)),
                    (Metric::DomainGpu, Signal::Absent(Mig)),
                    (Metric::DomainFrameBuffer, Signal::Absent(Mig)),
                    (Metric::DomainVideo, Signal::Absent(Mig)),
                    (Metric::JpegUtilization, Signal::Absent(Mig)),
                    (Metric::OpticalFlowUtilization, Signal::Absent(Mig)),
                    (Metric::InstanceSmActive, Signal::PartLoad { full: 96.0 }),
                    (Metric::InstanceSmOccupancy, Signal::PartLoad { full: 38.0 }),
                    (Metric::InstanceTensorActive, Signal::PartLoad { full: 44.0 }),
                    (Metric::InstanceDramBandwidth, Signal::PartLoad { full: 57.0 }),
                    (
                        Metric::InstanceMemoryUsed,
                        Signal::Parts(&[17_731.0 * MIB, 17_731.0 * MIB, 4_726.0 * MIB]),
                    ),
                ],
                ..gpu(&H100, "0000:18:00.0", SERVING)
            },
            GpuRow { mig: Ok(false), near: NODE_0, ..gpu(&H100, "0000:2a:00.0", TRAINING) },
        ],
        processes: &[
            mig_process(
                1,
                30_410,
                "serve --model small --port 8001",
                Wave(&[(0.0, 17.3), (1.0, 17.3)]),
            ),
            mig_process(
                2,
                30_977,
                "serve --model small --port 8002",
                Wave(&[(0.0, 17.3), (1.0, 17.3)]),
            ),
            mig_process(9, 31_502, "python lesson.py", Wave(&[(0.0, 4.6), (1.0, 4.6)])),
            process(1, 33_018, TRAINER, "python train.py --config tiny.toml", RANK_MEMORY),
        ],
        events: MIG_EVENTS,
        host_load: SERVING,
        host_signals: SERVER,
    },
    Preset {
        name: "gb10",
        about: "GB10 workstation whose GPU shares the memory of the host",
        host: "demo-gb10",
        versions: ("580.95.05", "13.0"),
        nvlinks: 0,
        gpus: &[gpu(&GB10, "000f:01:00.0", SERVING)],
        processes: &[
            ProcessRow {
                kinds: GRAPHICS,
                sm: Ok(0.01),
                cpu: 2.0,
                resident: 0.2,
                ..process(0, 2_040, DESK, "compositor", Wave(&[(0.0, 0.1), (1.0, 0.1)]))
            },
            ProcessRow {
                cpu: 92.0,
                resident: 4.3,
                ..process(
                    0,
                    5_519,
                    DESK,
                    "serve --model large --quantized",
                    Wave(&[(0.0, 63.5), (1.0, 63.5)]),
                )
            },
        ],
        events: &[],
        host_load: SERVING,
        host_signals: UNIFIED,
    },
];
