//! Numbers by the id of their field: many with one call, each with an answer of its own.

use std::ffi::{c_int, c_uint, c_ulonglong};

use nvml_wrapper_sys::bindings::{
    nvmlDevice_t, nvmlFieldValue_t, nvmlReturn_t, nvmlValue_t,
    nvmlValueType_enum_NVML_VALUE_TYPE_DOUBLE as DOUBLE,
    nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT as SIGNED_INT,
    nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_LONG_LONG as SIGNED_LONG_LONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT as UNSIGNED_INT,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG as UNSIGNED_LONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG as UNSIGNED_LONG_LONG,
    nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_SHORT as UNSIGNED_SHORT,
};

use super::{Failure, Function, Handle, Library, Plain, checked, code, function};

type FieldValues = unsafe extern "C" fn(nvmlDevice_t, c_int, *mut nvmlFieldValue_t) -> nvmlReturn_t;
pub(in crate::source::nvml) const FIELD_VALUES: Function<FieldValues> =
    function!(nvmlDeviceGetFieldValues);

/// Fields to ask for with one call, and then what was answered, in the same order.
#[derive(Default)]
pub(in crate::source::nvml) struct FieldBatch(Vec<nvmlFieldValue_t>);

/// What the driver says of one field.
pub(in crate::source::nvml) struct FieldAnswer {
    /// The number; NaN where the driver has none, or has it in a type that no header knows.
    pub(in crate::source::nvml) value: Result<f64, Failure>,
    /// When the driver got it, in microseconds of whatever clock the driver has.
    pub(in crate::source::nvml) timestamp_us: i64,
}

impl FieldBatch {
    /// Forgets what was asked and answered, and keeps the room for it.
    pub(in crate::source::nvml) fn clear(&mut self) {
        self.0.clear();
    }

    /// Asks for one more field. What `scope` means depends on the field: a link, or a part of the board.
    pub(in crate::source::nvml) fn ask(&mut self, id: u32, scope: u32) {
        // A field that the driver leaves out of its answers must not look like a zero.
        self.0.push(nvmlFieldValue_t {
            fieldId: id,
            scopeId: scope,
            nvmlReturn: code::UNKNOWN,
            ..nvmlFieldValue_t::zeroed()
        });
    }

    /// Whether nothing is asked for.
    pub(in crate::source::nvml) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was answered, in the order in which it was asked for.
    pub(in crate::source::nvml) fn answers(&self) -> impl Iterator<Item = FieldAnswer> + '_ {
        self.0.iter().map(|field| FieldAnswer {
            value: checked(field.nvmlReturn).map(|()| number(field.valueType, field.value)),
            timestamp_us: field.timestamp,
        })
    }

    /// The answer to all of it, where every field has the same one and it is no value.
    fn shared_failure(&self) -> Option<Failure> {
        let first = self.0.first()?.nvmlReturn;
        let shared = first != 0 && self.0.iter().all(|field| field.nvmlReturn == first);
        shared.then_some(Failure::Code(first))
    }
}

impl Handle {
    /// Fills in the answers of a batch.
    ///
    /// # Errors
    /// That of the call. The fields may have errors of their own; where all of them say that the GPU or the driver is
    /// gone, that is taken for the call's.
    pub(in crate::source::nvml) fn get_fields(
        self,
        library: &Library,
        batch: &mut FieldBatch,
    ) -> Result<(), Failure> {
        let getter = library.find(&FIELD_VALUES)?;
        let count = c_int::try_from(batch.0.len()).unwrap_or(c_int::MAX);
        // SAFETY: the driver reads and writes `count` fields, and there are at least so many.
        checked(unsafe { getter(self.0, count, batch.0.as_mut_ptr()) })?;
        match batch.shared_failure() {
            Some(
                gone @ Failure::Code(
                    code::GPU_IS_LOST
                    | code::UNINITIALIZED
                    | code::DRIVER_NOT_LOADED
                    | code::LIB_RM_VERSION_MISMATCH,
                ),
            ) => Err(gone),
            _ => Ok(()),
        }
    }
}

/// The number in a union; floats hold what is larger than 2^53 to one part in as many. All bits of an unsigned one set is
/// the driver's word for a number that it does not have.
fn number(kind: u32, value: nvmlValue_t) -> f64 {
    // SAFETY: any bits are a value of every member, and `ask` has written all of them.
    unsafe {
        match kind {
            DOUBLE => value.dVal,
            UNSIGNED_INT if value.uiVal == c_uint::MAX => f64::NAN,
            UNSIGNED_LONG | UNSIGNED_LONG_LONG if value.ullVal == c_ulonglong::MAX => f64::NAN,
            UNSIGNED_INT => f64::from(value.uiVal),
            UNSIGNED_LONG => value.ulVal as f64,
            UNSIGNED_LONG_LONG => value.ullVal as f64,
            SIGNED_LONG_LONG => value.sllVal as f64,
            SIGNED_INT => f64::from(value.siVal),
            UNSIGNED_SHORT => f64::from(value.usVal),
            _ => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, FieldBatch, number, nvmlValue_t};

    #[test]
    fn a_number_is_read_by_its_type() {
        let unsigned = nvmlValue_t { ullVal: 0x0001_0000_0007 };
        let numbers = [1, 2, 3, 4, 6].map(|kind| number(kind, unsigned));
        let whole = 4_294_967_303.0;
        assert_eq!(numbers.map(f64::to_bits), [7.0, whole, whole, whole, 7.0].map(f64::to_bits));
        let negative = nvmlValue_t { sllVal: -8 };
        assert_eq!([4, 5].map(|kind| number(kind, negative).to_bits()), [(-8.0_f64).to_bits(); 2]);
        assert_eq!(number(0, nvmlValue_t { dVal: 41.3 }).to_bits(), 41.3_f64.to_bits());
        assert!(number(7, unsigned).is_nan(), "a type of a newer driver");
        let none = nvmlValue_t { ullVal: u64::MAX };
        assert!([1, 2, 3].iter().all(|kind| number(*kind, none).is_nan()), "no number");
    }

    #[test]
    fn a_field_that_was_not_answered_has_no_value() {
        let mut batch = FieldBatch::default();
        batch.ask(83, 0);
        let answers: Vec<_> = batch.answers().map(|answer| answer.value).collect();
        assert_eq!(answers, [Err(Failure::Code(999))]);
        batch.clear();
        assert!(batch.is_empty());
    }
}
