//! Takes symbols away from a built shared library.

/// Renames each function in the table of dynamic names, so that looking it up fails. A name
/// stands in that table between two NULs, and the table comes before every other in the file.
pub(crate) fn strip_symbols(library: &mut [u8], symbols: &[String]) -> Result<(), String> {
    for symbol in symbols {
        let name = [b"\0", symbol.as_bytes(), b"\0"].concat();
        let found = library.windows(name.len()).position(|window| window == name);
        let at = found.ok_or_else(|| format!("`{symbol}` in lib.missing is not exported"))?;
        library[at + 1] = b'x';
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_name_is_taken() {
        let mut file = b"\x7fELF\0nvmlInit_v2\0nvmlInit\0nvmlInitWithFlags\0".to_vec();
        strip_symbols(&mut file, &["nvmlInit".into()]).unwrap();
        assert_eq!(file, b"\x7fELF\0nvmlInit_v2\0xvmlInit\0nvmlInitWithFlags\0");
        assert!(strip_symbols(&mut file, &["nvmlNone".into()]).is_err());
    }
}
