//! Lists: the size protocol, and the records of different drivers.

use fake_nvml::Fake;
use nvml_wrapper_sys::bindings as sys;

use crate::support::Nvml;

const THREE: &str = r#"
[[gpu]]
process = [
  { pid = 11, mem = "1MiB", sm = 10 },
  { pid = 22, mem = "2MiB", sm = 20 },
  { pid = 33, sm = 30 },
  { pid = 44, kind = "G", mem = "4MiB" },
]
"#;

fn scenario(abi: &str, more: &str) -> Fake {
    Fake::scenario(&format!("[lib]\nprocess_abi = \"{abi}\"\n{THREE}\n{more}")).unwrap()
}

/// The `_v3` list into a buffer of bytes: the answer, the count, and the buffer.
fn raw_list(fake: &Fake, room: u32) -> (u32, u32, Vec<u8>) {
    let nvml = Nvml::initialised(fake);
    let device = nvml.device(0);
    let mut buffer = vec![0xA5_u8; 48 * 16];
    let mut count = room;
    // SAFETY: the buffer has room for far more than the count says, of the longest record.
    let code = unsafe {
        nvml.nvmlDeviceGetComputeRunningProcesses_v3(
            device,
            &raw mut count,
            buffer.as_mut_ptr().cast(),
        )
    };
    (code, count, buffer)
}

#[test]
fn a_list_first_tells_its_size() {
    let fake = scenario("v2", "");
    let (code, count, buffer) = raw_list(&fake, 0);
    assert_eq!((code, count), (sys::nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE, 3));
    assert!(buffer.iter().all(|byte| *byte == 0xA5));
    let (code, count, _) = raw_list(&fake, 2);
    assert_eq!((code, count), (sys::nvmlReturn_enum_NVML_ERROR_INSUFFICIENT_SIZE, 3));
    assert_eq!(raw_list(&fake, 3).0, 0);
}

#[test]
fn an_empty_list_is_a_success() {
    let fake = Fake::scenario("[[gpu]]").unwrap();
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    let mut count = 0;
    // SAFETY: no buffer, and a count that says so.
    let code = unsafe {
        nvml.nvmlDeviceGetGraphicsRunningProcesses_v3(device, &raw mut count, std::ptr::null_mut())
    };
    assert_eq!((code, count), (0, 0));
}

#[test]
fn records_are_as_long_as_the_driver_makes_them() {
    for (abi, stride) in [("v1", 16), ("v2", 24), ("v2+cc", 32)] {
        let (code, count, buffer) = raw_list(&scenario(abi, ""), 8);
        assert_eq!((code, count), (0, 3));
        let pids: Vec<u8> = buffer.chunks(stride).take(3).map(|record| record[0]).collect();
        assert_eq!(pids, [11, 22, 33], "{abi}");
        assert!(buffer[3 * stride..].iter().all(|byte| *byte == 0xA5), "{abi}");
        let memory = &buffer[2 * stride + 8..2 * stride + 16];
        assert_eq!(memory, [0xff; 8], "{abi}: memory that nobody knows");
    }
}

#[test]
fn a_list_may_grow_between_size_and_data() {
    let fake = scenario("v2", "[[fault]]\nfn = \"*RunningProcesses*\"\ngrow = 2");
    assert_eq!(raw_list(&fake, 0).1, 3);
    let (code, count, _) = raw_list(&fake, 3);
    assert_eq!((code, count), (7, 5));
    assert_eq!(raw_list(&fake, 5).0, 0);
}

#[test]
fn the_detail_list_wants_its_version() {
    let fake = scenario("v2", "");
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    let empty = sys::nvmlProcessDetail_v1_t {
        pid: 0,
        usedGpuMemory: 0,
        gpuInstanceId: 0,
        computeInstanceId: 0,
        usedGpuCcProtectedMemory: 0,
    };
    let mut records = [empty; 4];
    let mut list = sys::nvmlProcessDetailList_t {
        version: 2,
        mode: 1,
        numProcArrayEntries: 4,
        procArray: records.as_mut_ptr(),
    };
    // SAFETY: the list says how long its array is.
    let mut ask = |version| unsafe {
        list.version = version;
        (
            nvml.nvmlDeviceGetRunningProcessDetailList(device, &raw mut list),
            list.numProcArrayEntries,
        )
    };
    assert_eq!(ask(2).0, sys::nvmlReturn_enum_NVML_ERROR_ARGUMENT_VERSION_MISMATCH);
    assert_eq!(ask(0x0100_0018), (0, 1));
    assert_eq!(records[0].pid, 44);
}

#[test]
fn samples_are_told_once() {
    let fake = scenario("v2", "");
    let nvml = Nvml::initialised(&fake);
    let device = nvml.device(0);
    fake.advance(std::time::Duration::from_secs(1));
    let mut samples =
        [const { None }; 120].map(|_: Option<()>| sys::nvmlProcessUtilizationSample_t {
            pid: 0,
            timeStamp: 0,
            smUtil: 0,
            memUtil: 0,
            encUtil: 0,
            decUtil: 0,
        });
    let mut ask = |last_seen| {
        let mut count = 120;
        // SAFETY: there is room for as many samples as the count says.
        let code = unsafe {
            nvml.nvmlDeviceGetProcessUtilization(
                device,
                samples.as_mut_ptr(),
                &raw mut count,
                last_seen,
            )
        };
        let read = usize::try_from(count).unwrap();
        (code, samples[..read.min(120)].iter().map(|s| (s.timeStamp, s.pid)).collect::<Vec<_>>())
    };
    let (code, all) = ask(0);
    assert_eq!(code, 0);
    assert_eq!(all.len(), 3 * 6);
    assert!(all.is_sorted_by_key(|(at, _)| *at));
    let newest = all.last().unwrap().0;
    assert_eq!(ask(newest).0, sys::nvmlReturn_enum_NVML_ERROR_NOT_FOUND);
    assert_eq!(ask(newest - 1).1.len(), 3);
}
