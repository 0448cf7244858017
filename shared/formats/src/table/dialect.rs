//! How a table is written: its delimiter, and whether quotes mean something.

use super::columns::{Role, role_of};
use super::records::{Dialect, MAX_COLUMNS, Records, delimiter_named};
use crate::paths::has_audio_extension;

/// Delimiters that are looked for, the likeliest first.
pub const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];
/// Records looked at.
const LOOKED_AT: usize = 50;

/// Finds out how a table is written. `likely` is what its name or its content type
/// says of the delimiter, and counts where the text itself does not tell.
///
/// Commas and semicolons come with the quoting of CSV. With TABs and `|` it is decided
/// over the whole file: Common Voice is written without quoting, older releases of it
/// with; a sentence that begins with a quote must not swallow the rows behind it. But a
/// recording whose name stands in quotes tells: spreadsheets put a name with a comma into
/// them, and no recording is called so.
#[must_use]
pub fn dialect(text: &str, likely: u8) -> Dialect {
    if let Some((named, _)) = delimiter_named(text) {
        return Dialect::quoted(named);
    }
    let mut best = (0, 0, 0, false);
    let mut delimiter = likely;
    for candidate in DELIMITERS {
        let (known, same, count) = seen(text, candidate);
        let rank = (known, same, count, candidate == likely);
        if count > 0 && rank > best {
            best = rank;
            delimiter = candidate;
        }
    }
    if matches!(delimiter, b',' | b';') {
        return Dialect::quoted(delimiter);
    }
    let plain = Dialect::plain(delimiter);
    let first = text.lines().next().unwrap_or_default();
    let is_quoted = |cell: &str| cell.len() > 1 && cell.starts_with('"') && cell.ends_with('"');
    let cells = || first.split(char::from(delimiter));
    if cells().all(is_quoted) && cells().count() > 1 {
        return Dialect::quoted(delimiter);
    }
    let width = cells().count();
    let even = |dialect| {
        let mut records = Records::new(text, dialect);
        records.all(|record| record.is_ok_and(|record| record.cells.len() == width))
    };
    let quoted = Dialect::quoted(delimiter);
    if !text.contains('"') || !even(quoted) {
        return plain;
    }
    let names_recording =
        |cell: &str| is_quoted(cell) && has_audio_extension(cell.trim_matches('"'));
    let mut cells = text
        .lines()
        .flat_map(|line| line.split(char::from(delimiter)));
    if !even(plain) || cells.any(names_recording) {
        quoted
    } else {
        plain
    }
}

/// Of the first records under a delimiter: how many cells of the first one have a name
/// that is known, how many tenths of the records have as many delimiters as it, and
/// how many that are.
fn seen(text: &str, delimiter: u8) -> (usize, usize, usize) {
    let dialect = match delimiter {
        b',' | b';' => Dialect::quoted(delimiter),
        _ => Dialect::plain(delimiter),
    };
    let mut records = Records::new(text, dialect).take(LOOKED_AT).flatten();
    let Some(first) = records.next() else {
        return (0, 0, 0);
    };
    let count = first.cells.len() - 1;
    // No header has more, and a name is compared with many.
    let known = first.cells.iter().take(MAX_COLUMNS).filter(|cell| {
        let cell = cell.trim().trim_matches('"');
        !matches!(role_of(cell), Role::Other)
    });
    let known = known.count();
    let (mut all, mut same) = (1, 1);
    for record in records {
        all += 1;
        same += usize::from(record.cells.len() == count + 1);
    }
    (known, same * 10 / all, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_found_whatever_the_name_says() {
        for (text, likely, found) in [
            ("file_name,text\n1.wav,big cat\n", b'\t', b','),
            ("file_name;text\n1.wav;big, fat cat\n", b',', b';'),
            ("file_name\ttext\n1.wav\tbig, fat cat\n", b',', b'\t'),
            (
                "LJ1|Dr. Rao, came.|Doctor Rao came.\nLJ2|a, b|c\n",
                b',',
                b'|',
            ),
            ("filename\na.wav\n", b',', b','),
            ("filename\na.wav\n", b'\t', b'\t'),
            ("", b',', b','),
            ("path,text\na.wav,हाँ; ठीक है, जी\nb.wav,x\n", b',', b','),
        ] {
            assert_eq!(dialect(text, likely).delimiter, found, "{text}");
        }
    }

    #[test]
    fn quoting_with_tabs_is_decided_over_the_file() {
        let common_voice = "path\tsentence\n1\t\"धन्यवाद\" उसने\n2\tb\n";
        assert!(!dialect(common_voice, b'\t').quoting);
        let label_studio = "\"audio\"\t\"text\"\n\"1\"\t\"a\"\n";
        assert!(dialect(label_studio, b',').quoting);
        let excel = "audio\ttext\na.wav\t\"two\nlines\"\n";
        assert!(dialect(excel, b'\t').quoting);
        // A name with a comma in it, as spreadsheets write it.
        let comma = "file_name\ttext\r\n\"a, b.wav\"\tone\r\nc.wav\ttwo\r\n";
        assert!(dialect(comma, b'\t').quoting);
        let said = "path\tsentence\n1.mp3\t\"so\"\n2.mp3\tb\n";
        assert!(!dialect(said, b'\t').quoting);
    }
}
