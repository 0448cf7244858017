//! A profile is put into the file of profiles. All else there is its owner's, comments too,
//! and stays as it was written.

use std::ops::Range;

use serde_json::{Value, json};

use super::Profile;

/// What a text of TOML says by itself.
fn read(text: &str) -> Option<Value> {
    basic_toml::from_str(text.trim()).ok()
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// A name in a header.
pub fn key(name: &str) -> String {
    let is_bare = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_');
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

/// What a line has behind its value: a comment, and what ends it.
fn behind_value(line: &str) -> &str {
    // Before a `#` that is in a text, the line is broken off and can't be read.
    let is_whole = |at: &usize| line.get(..*at).is_some_and(|own| read(own).is_some());
    let mut marks = line.match_indices('#').map(|(at, _)| at);
    let own = marks.find(is_whole).and_then(|at| line.get(..at));
    let value = own.unwrap_or(line).trim_end();
    line.get(value.len()..).unwrap_or_default()
}

/// The lines below the header of a profile.
fn section(lines: &[String], name: &str) -> Option<Range<usize>> {
    let own = json!({"profile": {name: {}}});
    let is_own = |line: &String| is_header(line) && read(line).is_some_and(|said| said == own);
    let from = lines.iter().position(is_own)? + 1;
    let next = lines.iter().skip(from).position(|line| is_header(line));
    Some(from..next.map_or(lines.len(), |after| from + after))
}

/// Gives a key of a section its value. One that is to have none becomes a comment: its owner
/// wrote it.
fn put(lines: &mut Vec<String>, section: &mut Range<usize>, name: &str, value: Option<Value>) {
    let says = |line: &String| {
        let said = line.split_once('=').map(|(key, _)| key.trim());
        said == Some(name)
    };
    let mut within = lines.iter().take(section.end).skip(section.start);
    let place = within.position(says).map(|after| section.start + after);
    match (place, value) {
        (Some(place), Some(value)) => {
            let line = &mut lines[place];
            if read(line) != Some(json!({name: value})) {
                *line = format!("{name} = {value}{}", behind_value(line));
            }
        }
        (None, Some(value)) => {
            lines.insert(section.start, format!("{name} = {value}"));
            section.end += 1;
        }
        (Some(place), None) => {
            // A list may go over several lines.
            let mut so_far = String::new();
            for line in &mut lines[place..section.end] {
                so_far.push_str(line);
                so_far.push('\n');
                line.insert_str(0, "# ");
                if read(&so_far).is_some() {
                    break;
                }
            }
        }
        (None, None) => {}
    }
}

/// The text of the file with a profile in it, which is the default where there was none. What
/// it says then has to be looked at: a profile can be written in more ways than are known here.
pub fn with(text: &str, name: &str, profile: &Profile, is_default: bool) -> String {
    // Editors of Windows begin a file with it.
    const MARK: char = '\u{feff}';
    if let Some(text) = text.strip_prefix(MARK) {
        return format!("{MARK}{}", with(text, name, profile, is_default));
    }
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let command = profile.credential_command.as_ref();
    let values = [
        ("keyring", profile.keyring.then_some(Value::Bool(true))),
        ("credential_command", command.map(|words| json!(words))),
        ("project", profile.project.as_ref().map(|name| json!(name))),
        ("url", Some(json!(profile.url))),
    ];
    let mut section = match section(&lines, name) {
        Some(section) => section,
        None => {
            // Before the end of the last line there is nothing.
            if lines.last().is_some_and(String::is_empty) {
                lines.pop();
            }
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.push(format!("[profile.{}]", key(name)));
            let end = lines.len();
            lines.push(String::new());
            end..end
        }
    };
    for (name, value) in values {
        put(&mut lines, &mut section, name, value);
    }
    if is_default {
        lines.insert(0, format!("default = {}", quoted(name)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> Profile {
        Profile {
            url: url.to_owned(),
            project: None,
            credential_command: None,
            keyring: false,
        }
    }

    #[test]
    fn a_file_is_begun() {
        assert_eq!(
            with("", "default", &at("https://a"), true),
            "default = \"default\"\n[profile.default]\nurl = \"https://a\"\n"
        );
        assert_eq!(
            with("# mine\n", "of us", &at("https://a"), false),
            "# mine\n\n[profile.\"of us\"]\nurl = \"https://a\"\n"
        );
    }

    #[test]
    fn what_others_wrote_stays() {
        let file = "# of the team\ndefault = \"a\" # the usual one\n\n[profile.a] # here\r\n\
                    url = \"https://a\"   # of Asha\nproject = \"p\"\n\
                    credential_command = [\n  \"pass\", # a program\n  \"show\",\n]\n\n\
                    # broken\n[profile.b]\nurl = 1\n";
        let same = Profile {
            project: Some("p".to_owned()),
            credential_command: Some(vec!["pass".to_owned(), "show".to_owned()]),
            ..at("https://a")
        };
        let mut own_key = same.clone();
        own_key.credential_command = None;
        let commented = "# credential_command = [\n#   \"pass\", # a program\n#   \"show\",\n# ]\n";
        let list = "credential_command = [\n  \"pass\", # a program\n  \"show\",\n]\n";
        let expected = file.replace(list, commented);
        assert_eq!(with(file, "a", &own_key, false), expected);
        own_key.keyring = true;
        let kept = expected.replace("url = \"https://a\"", "keyring = true\nurl = \"https://a\"");
        assert_eq!(with(file, "a", &own_key, false), kept);
        // Without a key of its own it is taken out again.
        let taken_out = kept.replace("keyring", "# keyring");
        own_key.keyring = false;
        assert_eq!(with(&kept, "a", &own_key, false), taken_out);
        let moved = expected
            .replace("https://a", "https://c")
            .replace("project", "# project");
        assert_eq!(with(file, "a", &at("https://c"), false), moved);
        let added = format!("{file}\n[profile.c]\nurl = \"https://c\"\n");
        assert_eq!(with(file, "c", &at("https://c"), false), added);
    }

    #[test]
    fn what_stands_behind_a_value_stays() {
        for (line, behind) in [
            ("url = \"https://a\"", ""),
            ("url = \"https://a\"\r", "\r"),
            ("url = \"https://a#b\" # c # d\r", " # c # d\r"),
            ("url = 'a\" # b'# c", "# c"),
        ] {
            assert_eq!(behind_value(line), behind, "{line:?}");
        }
    }

    #[test]
    fn a_mark_of_the_order_of_bytes_stays_first() {
        for file in ["[profile.a]\nurl = \"https://a\"\n", "# mine\n", ""] {
            let marked = format!("\u{feff}{file}");
            for name in ["a", "b"] {
                for is_default in [true, false] {
                    let plain = with(file, name, &at("https://b"), is_default);
                    let wanted = format!("\u{feff}{plain}");
                    assert_eq!(with(&marked, name, &at("https://b"), is_default), wanted);
                    assert!(basic_toml::from_str::<Value>(&wanted).is_ok(), "{wanted}");
                }
            }
        }
    }
}
