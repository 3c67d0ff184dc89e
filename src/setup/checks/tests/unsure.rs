//! What cannot be told is not said to be wrong, and not said to be right.

use super::*;
use crate::setup::facts::LoadedDriver;

#[test]
fn on_wsl_the_driver_is_not_what_the_toolkit_lacks() {
    let mut facts = no_machine();
    facts.system.wsl = Evidence::new("", Ok(true));
    let findings = setup("{ }", facts, &[("container.enable", ON)]).findings();
    assert!(findings[0].sentence.contains("suppressNvidiaDriverAssertion"), "{findings:?}");
}

#[test]
fn a_driver_that_may_be_there_is_checked() {
    let may = |architecture, choices: &[(&str, Value)], id| {
        found(&setup(BY_EXPRESSION, gpus(&[architecture]), choices), id)
    };
    assert_eq!(may(10, &[("driver.open", OFF)], "proprietary-on-blackwell"), Some(Error));
    assert_eq!(may(5, &[("driver.open", ON)], "open-before-turing"), Some(Error));
    let old = ("driver.package", word("legacy_470"));
    assert_eq!(may(10, from_ref(&old), "driver-too-old"), Some(Error));
    let both = [old.clone(), ("driver.open", ON)];
    assert_eq!(may(6, &both, "no-open-module"), Some(Error));
    assert_eq!(may(6, &[old, ("systemPackages", ON)], "cuda-and-driver"), Some(Error));
    let off = [("enable", OFF), ("driver.open", OFF)];
    assert_eq!(may(10, &off, "proprietary-on-blackwell"), None, "it was chosen off");
}

#[test]
fn a_branch_that_may_be_named_elsewhere_is_no_error() {
    let drivers = "services.xserver.videoDrivers = [ \"nvidia\" ];";
    let too_new = |rest: &str| {
        let text = format!("{{ x, ... }}: {{ {drivers} {rest} }}");
        let choices = [("podman", ON), (Setup::RELEASE, word("26.05"))];
        found(&setup(&text, gpus(&[5]), &choices), "driver-too-new")
    };
    let stable = "hardware.nvidia.package = config.boot.kernelPackages.nvidiaPackages.stable;";
    assert_eq!(too_new(""), Some(Error));
    assert_eq!(too_new("imports = [ x.y ];"), Some(Warning));
    assert_eq!(too_new(&format!("imports = [ x.y ]; {stable}")), Some(Error));
    let choices = [("podman", ON), (Setup::RELEASE, word("26.05"))];
    let may = setup(BY_EXPRESSION, gpus(&[5]), &choices);
    assert_eq!(found(&may, "driver-too-new"), Some(Warning), "the driver itself is not sure");
}

#[test]
fn a_gpu_of_a_virtual_machine_is_not_the_drivers() {
    let mut facts = gpus(&[10, 5]);
    let open = |facts: &Facts| fresh(facts.clone(), &[("enable", ON)], "open-before-turing");
    assert_eq!(open(&facts), Some(Error));
    facts.gpus.fact.as_mut().unwrap()[1].kernel_driver = Evidence::new("", Ok("vfio-pci".into()));
    assert_eq!(open(&facts), None);
}

#[test]
fn names_that_are_not_known_are_not_claimed_to_be_all() {
    let find = |choices: &[(&str, Value)]| fresh(gpus(&[9]), choices, "unfree-names");
    let cudnn = ("components", words(&["cudnn"]));
    assert_eq!(find(&[cudnn.clone(), ("unfree", word("list"))]), Some(Warning));
    assert_eq!(find(from_ref(&cudnn)), Some(Warning), "list is needed then");
    assert_eq!(find(&[cudnn, ("unfree", word("all"))]), None);
    assert_eq!(find(&[("systemPackages", ON), ("unfree", word("list"))]), None);
}

#[test]
fn a_kernel_that_takes_signed_modules_alone_is_told_of() {
    let enable = |facts| fresh(facts, &[("enable", ON)], "unsigned-modules");
    let mut facts = gpus(&[9]);
    assert_eq!(enable(facts.clone()), None);
    facts.kernel.sig_enforce = Evidence::new("/sys/module/module/parameters/sig_enforce", Ok(true));
    assert_eq!(enable(facts.clone()), Some(Warning));
    let flavour = crate::model::KernelModule::Open;
    let loaded = LoadedDriver { version: "595.71.05".to_owned(), flavour };
    facts.driver.loaded = Evidence::new("/proc/driver/nvidia/version", Ok(loaded));
    assert_eq!(enable(facts), None, "it was taken");
}
