//! Recognisers as they are named on the command line.

use std::path::Path;
use std::str::FromStr;

use super::preset;
use super::program::{INPUT, Output, Recogniser, found};

/// `NAME='PROGRAM … {input} … {language}'`, or the name of a preset.
impl FromStr for Recogniser {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, command)) = text.split_once('=') else {
            return preset::named(text);
        };
        let fits = (1..=63).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
        if !fits {
            return Err(
                "the name must have 1 to 63 of a-z, 0-9, '.', '_', '-', and begin with a \
                        letter or a digit"
                    .to_owned(),
            );
        }
        let mut words = shlex::split(command)
            .ok_or("the command has a quote that does not end")?
            .into_iter();
        let program = words.next().ok_or("there is no command")?;
        let arguments: Vec<String> = words.collect();
        if let Some(kind) = program.strip_prefix('@') {
            return preset::with(name, kind, &arguments);
        }
        if !arguments.iter().any(|argument| argument.contains(INPUT)) {
            return Err(format!(
                "the command has no {INPUT}, where the audio file goes"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            program: found(&program)?,
            arguments,
            output: Output::Text,
            languages: &[],
        })
    }
}

/// Largest file of recognisers in bytes; a line each is far less.
const MAX_FILE: usize = 64 * 1024;

/// Recognisers of a file: one a line, as on the command line. Empty lines, and those that
/// begin with `#`, mean nothing.
///
/// # Errors
/// When the file can't be read, or what is wrong with a line, by its number.
pub fn of_file(path: &Path) -> Result<Vec<Recogniser>, String> {
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| told(&error))?;
    if text.len() > MAX_FILE {
        return Err(told(&"longer than 64 KiB, which no list of recognisers is"));
    }
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let named = lines.filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    named
        .map(|(number, line)| {
            let read = line.trim().parse();
            read.map_err(|error: String| told(&format!("line {}: {error}", number + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_as_a_shell_would_and_filled_afterwards() {
        let read: Recogniser = r#"mine=sh -c 'echo "$1"' - "{input} x" {language}"#
            .parse()
            .unwrap();
        assert_eq!(read.name, "mine");
        assert!(read.program.is_absolute());
        let filled = read.arguments(Path::new("/tmp/a b.wav"), "hi-IN");
        assert_eq!(
            filled,
            ["-c", "echo \"$1\"", "-", "/tmp/a b.wav x", "hi-IN"]
        );
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (given, told) in [
            ("Mine=cat {input}", "the name"),
            ("=cat {input}", "the name"),
            ("-a=cat {input}", "the name"),
            ("a=cat", "{input}"),
            ("a=", "no command"),
            ("a=cat '{input}", "quote"),
            (
                "a=no-such-program-here {input}",
                "no program no-such-program-here",
            ),
            ("a=/no/such {input}", "no program /no/such"),
            ("unknown", "pocketsphinx"),
            ("a=@unknown x", "whisper-cli"),
            ("a=@whisper-cli", "model"),
        ] {
            let error = given.parse::<Recogniser>().unwrap_err();
            assert!(error.contains(told), "{given}: {error}");
        }
    }

    #[test]
    fn a_file_names_one_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recognisers");
        std::fs::write(
            &path,
            "\u{feff}# ours\n\n a=cat {input}\r\nb=cat '{input}' {language}\n",
        )
        .unwrap();
        let names: Vec<String> = of_file(&path)
            .unwrap()
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(names, ["a", "b"]);
        std::fs::write(&path, "a=cat {input}\n\nb=cat\n").unwrap();
        let error = of_file(&path).unwrap_err();
        assert!(
            error.contains("line 3") && error.contains("{input}"),
            "{error}"
        );
        assert!(
            of_file(&dir.path().join("none"))
                .unwrap_err()
                .contains("none")
        );
    }
}
