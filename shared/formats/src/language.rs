//! Languages as sets and tables name them, and whether a text is in their script.

use stt_eval_domain::language::{self, Language};
use unicode_script::{Script, UnicodeScript};

/// Names that are not in the catalogue, or are spelt otherwise there.
const OTHER_NAMES: [(&str, &str); 10] = [
    ("हिंदी", "hi"),
    ("oriya", "or"),
    ("panjabi", "pa"),
    ("manipuri", "mni"),
    ("meitei", "mni"),
    ("bangla", "bn"),
    ("sindhi", "sd"),
    ("santhali", "sat"),
    ("kashmiri", "ks"),
    ("dogri", "doi"),
];

/// The tag of a language that is given by its tag, its English name (`Hindi`, `odia`),
/// its own name or its code of three letters. `None` for what is not known.
#[must_use]
pub fn tag_of(name: &str) -> Option<String> {
    let name = name.trim();
    let lower = name.to_lowercase();
    let by_name = language::all()
        .iter()
        .find(|one| one.name.to_lowercase() == lower || one.native_name == name);
    if let Some(found) = by_name {
        return Some(found.code.to_owned());
    }
    if let Some((_, tag)) = OTHER_NAMES.iter().find(|(other, _)| *other == lower) {
        return Some((*tag).to_owned());
    }
    // `hi_Deva`, `hi_in`.
    language::find(&name.replace('_', "-")).map(|found| found.tag)
}

/// The language that a path names, by one of its folders: `hindi/test/a.wav`.
#[must_use]
pub fn of_path(path: &str) -> Option<String> {
    let folders = path.split('/').rev().skip(1);
    folders
        .filter(|folder| folder.len() > 3)
        .find_map(|folder| {
            let lower = folder.to_lowercase();
            let named = language::all()
                .iter()
                .any(|one| one.name.to_lowercase() == lower);
            let other = OTHER_NAMES.iter().any(|(name, _)| *name == lower);
            (named || other).then(|| tag_of(folder)).flatten()
        })
}

/// Letters from which on a text has a script.
const ENOUGH: usize = 5;

fn is_of(language: &Language, script: Script) -> bool {
    let short = script.short_name();
    language.scripts.iter().any(|one| one.code == short)
}

/// Whether hardly a letter of a text (less than a fifth) is in a script of its
/// language. Short texts, and languages that are not known, are right.
#[must_use]
pub fn is_in_another_script(text: &str, tag: &str) -> bool {
    let Some(found) = language::find(tag) else {
        return false;
    };
    let (mut letters, mut right) = (0_usize, 0_usize);
    let mut is_mark = false;
    let mut left = text.chars().count();
    for c in text.chars() {
        // A fifth is enough, whatever comes: most texts need not be looked at to their end.
        if right * 5 >= letters + left {
            return false;
        }
        left -= 1;
        // `[noise]` is nothing that is said.
        is_mark = c == '[' || (is_mark && c != ']');
        if is_mark || !c.is_alphabetic() {
            continue;
        }
        let script = c.script();
        if matches!(script, Script::Common | Script::Inherited) {
            continue;
        }
        letters += 1;
        let is_asked_for = script.short_name() == found.script.code;
        right += usize::from(is_asked_for || is_of(found.language, script));
    }
    letters >= ENOUGH && right * 5 < letters
}

/// Whether a language may be written in Latin letters; those that are not known may.
#[must_use]
pub fn is_written_in_latin(tag: &str) -> bool {
    language::find(tag).is_none_or(|found| {
        found.script.code == "Latn" || found.language.scripts.iter().any(|one| one.code == "Latn")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_known_by_all_their_names() {
        for (name, tag) in [
            ("hindi", "hi"),
            ("Odia", "or"),
            ("oriya", "or"),
            ("Santali", "sat"),
            ("hi_Deva", "hi-Deva"),
            ("தமிழ்", "ta"),
            ("tam", "ta"),
            ("bn-IN", "bn-IN"),
        ] {
            assert_eq!(tag_of(name).as_deref(), Some(tag), "{name}");
        }
        assert_eq!(tag_of("klingon"), None);
        assert_eq!(of_path("kathbath/hindi/test/a.wav").as_deref(), Some("hi"));
        assert_eq!(of_path("test/as/a.wav"), None);
    }

    #[test]
    fn mojibake_and_other_scripts_are_seen() {
        assert!(is_in_another_script("à¤¨à¤®à¤¸à¥à¤¤à¥ bonjour", "hi"));
        assert!(is_in_another_script("namaste aap kaise hain", "hi"));
        assert!(!is_in_another_script("namaste aap kaise hain", "hi-Latn"));
        assert!(!is_in_another_script("मेरा phone नहीं चल रहा", "hi"));
        assert!(!is_in_another_script("ok", "hi"));
        let marked = "[disfluency] हाँ [noise]";
        assert!(!is_in_another_script(marked, "hi"));
        assert!(is_in_another_script("[noise] namaste aap kaise hain", "hi"));
    }
}
