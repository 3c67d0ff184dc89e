//! The functions of NVML, by subject.

mod absent;
mod clocks;
mod events;
mod fields;
mod gpm;
mod identity;
mod memory;
mod mig;
mod nvlink;
mod pcie;
mod power;
mod process;
mod process_utilisation;
mod reliability;
mod setters;
mod system;
mod temperature;
mod utilisation;

use std::sync::LazyLock;

/// The names of all exported functions of NVML.
pub(crate) static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names = [
        absent::NAMES,
        clocks::NAMES,
        events::NAMES,
        fields::NAMES,
        gpm::NAMES,
        identity::NAMES,
        memory::NAMES,
        mig::NAMES,
        nvlink::NAMES,
        pcie::NAMES,
        power::NAMES,
        process::NAMES,
        process_utilisation::NAMES,
        reliability::NAMES,
        setters::NAMES,
        system::NAMES,
        temperature::NAMES,
        utilisation::NAMES,
    ]
    .concat();
    names.sort_unstable();
    names
});

/// Defines exports. The word before `fn` says what a function is about: `free` needs no nvmlInit,
/// `system` is about no GPU, `device` takes a GPU's handle, `any` a MIG device's as well, `mig`
/// only such a one, and `lookup` finds a handle.
macro_rules! exports {
    ($($kind:ident fn $name:ident($($arg:ident: $type:ty),* $(,)?) |$call:ident| $body:expr)*) => {
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];
        $($crate::exports::exports!(@$kind $name ($($arg: $type),*) $call $body);)*
    };
    (@free $name:ident ($($arg:ident: $type:ty),*) $call:ident $body:expr) => {
        $crate::exports::exports!(@about Nothing $name ($($arg: $type),*) $call $body);
    };
    (@system $name:ident ($($arg:ident: $type:ty),*) $call:ident $body:expr) => {
        $crate::exports::exports!(@about Init $name ($($arg: $type),*) $call $body);
    };
    (@about $needs:ident $name:ident ($($arg:ident: $type:ty),*) $call:ident $body:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($arg: $type),*) -> ::nvml_wrapper_sys::bindings::nvmlReturn_t {
            use $crate::entry;
            static SITE: $crate::log::Site = $crate::log::Site::new(stringify!($name));
            entry::system(&SITE, entry::Needs::$needs, |$call: &entry::Call<'_>| $body)
        }
    };
    (@device $name:ident $args:tt $call:ident $body:expr) => {
        $crate::exports::exports!(@handle Gpu $name $args $call $body);
    };
    (@any $name:ident $args:tt $call:ident $body:expr) => {
        $crate::exports::exports!(@handle GpuOrMig $name $args $call $body);
    };
    (@mig $name:ident $args:tt $call:ident $body:expr) => {
        $crate::exports::exports!(@handle Mig $name $args $call $body);
    };
    (@handle $accepts:ident $name:ident ($($arg:ident: $type:ty),*) $call:ident $body:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            device: $crate::abi::Handle,
            $($arg: $type),*
        ) -> ::nvml_wrapper_sys::bindings::nvmlReturn_t {
            use $crate::entry;
            static SITE: $crate::log::Site = $crate::log::Site::new(stringify!($name));
            let accepts = entry::Accepts::$accepts;
            entry::device(&SITE, device, accepts, |$call: &entry::GpuCall<'_>| $body)
        }
    };
    (@lookup $name:ident ($($arg:ident: $type:ty),*) $world:ident $body:expr) => {
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            $($arg: $type,)*
            device: $crate::abi::Out<$crate::abi::Handle>,
        ) -> ::nvml_wrapper_sys::bindings::nvmlReturn_t {
            static SITE: $crate::log::Site = $crate::log::Site::new(stringify!($name));
            $crate::entry::lookup(&SITE, device, |$world: &$crate::world::World| $body)
        }
    };
}
pub(crate) use exports;
