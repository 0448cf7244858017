//! Names in archives: their encoding, and where they must not lead.

use std::borrow::Cow;

/// What bytes from 0x80 on mean where nothing else is said.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// A name as its writer meant it.
///
/// Without the flag of UTF-8 the letters are those of CP437. Macs and old tools of Unix
/// write UTF-8 without it; bytes that are valid UTF-8 beyond ASCII are practically never
/// anything else.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let upper: Vec<char> = CP437.chars().collect();
    let letter = |byte: &u8| match byte.checked_sub(0x80) {
        Some(at) => upper.get(usize::from(at)).copied().unwrap_or('?'),
        None => char::from(*byte),
    };
    Cow::Owned(bytes.iter().map(letter).collect())
}

/// A name with `/` between its parts and none of them empty; `None` if it leads out of
/// the archive, or could.
pub(super) fn inside(name: &str) -> Option<String> {
    let name = name.replace('\\', "/");
    let has_drive = name.as_bytes().get(1) == Some(&b':');
    if name.starts_with('/') || has_drive || name.chars().any(char::is_control) {
        return None;
    }
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if parts.is_empty() || parts.contains(&"..") {
        return None;
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_as_they_were_meant() {
        assert_eq!(CP437.chars().count(), 128);
        assert_eq!(decoded(b"caf\x82.wav"), "café.wav");
        assert_eq!(decoded("हाँ.wav".as_bytes()), "हाँ.wav");
    }

    #[test]
    fn no_name_leads_out() {
        for name in [
            "/etc/passwd",
            "../a",
            "a/../../b",
            "..\\a",
            "C:\\a",
            "a\0b",
            "",
            "./",
        ] {
            assert_eq!(inside(name), None, "{name:?}");
        }
        assert_eq!(
            inside("set\\a//b/./c.wav").as_deref(),
            Some("set/a/b/c.wav")
        );
        assert_eq!(inside("a..b/...").as_deref(), Some("a..b/..."));
    }
}
