//! The languages samples can be in: tags, names, scripts. Pure data.
//!
//! Tags follow BCP 47 (RFC 5646), script codes ISO 15924. Default scripts by
//! language and region are those of CLDR's likely subtags. Names of languages
//! are the ones the prompt of a provider uses, so a change here changes what
//! models are asked.

use serde::Serialize;

/// A writing system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Script {
    /// ISO 15924 code.
    #[schema(example = "Deva")]
    pub code: &'static str,
    /// English name.
    #[schema(example = "Devanagari")]
    pub name: &'static str,
}

/// A language of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Language {
    /// BCP 47 primary subtag.
    #[schema(example = "hi")]
    pub code: &'static str,
    /// English name.
    #[schema(example = "Hindi")]
    pub name: &'static str,
    /// Its name in itself.
    #[schema(example = "हिन्दी")]
    pub native_name: &'static str,
    /// Scripts it is written in, the usual one first.
    #[schema(value_type = Vec<Script>)]
    pub scripts: &'static [Script],
    /// ISO 639-3 code, taken as another spelling of `code`.
    #[serde(skip)]
    pub iso639_3: &'static str,
    /// Regions whose usual script differs: region subtag and script.
    #[serde(skip)]
    pub regional: &'static [(&'static str, Script)],
}

/// A tag that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageTag {
    /// The tag in canonical form: `HI-in` is `hi-IN`, `hin` is `hi`.
    pub tag: String,
    /// Its language.
    pub language: &'static Language,
    /// The script to write in: the tag's own, else that of its region, else
    /// the language's usual one.
    pub script: Script,
}

/// Why a tag was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LanguageError {
    /// Not a BCP 47 tag at all.
    #[error("not a BCP 47 language tag; expected something like \"hi\", \"hi-IN\" or \"hi-Latn\"")]
    Malformed,
    /// A tag of a language the catalogue does not have.
    #[error("this language is not supported; supported are {}", codes())]
    UnknownLanguage,
    /// A script the catalogue does not have.
    #[error("this script is not supported; supported are {}", script_codes())]
    UnknownScript,
}

const fn script(code: &'static str, name: &'static str) -> Script {
    Script { code, name }
}

const ARAB: Script = script("Arab", "Perso-Arabic");
const BENG: Script = script("Beng", "Bengali");
const BENG_AS: Script = script("Beng", "Bengali-Assamese");
const DEVA: Script = script("Deva", "Devanagari");
const GUJR: Script = script("Gujr", "Gujarati");
const GURU: Script = script("Guru", "Gurmukhi");
const KNDA: Script = script("Knda", "Kannada");
const LATN: Script = script("Latn", "Latin");
const MLYM: Script = script("Mlym", "Malayalam");
const MTEI: Script = script("Mtei", "Meetei Mayek");
const OLCK: Script = script("Olck", "Ol Chiki");
const ORYA: Script = script("Orya", "Odia");
const SHAHMUKHI: Script = script("Arab", "Shahmukhi (Perso-Arabic)");
const TAML: Script = script("Taml", "Tamil");
const TELU: Script = script("Telu", "Telugu");

/// Scripts a tag may name, whatever its language.
const SCRIPTS: &[Script] = &[
    ARAB, BENG, DEVA, GUJR, GURU, KNDA, LATN, MLYM, MTEI, OLCK, ORYA, TAML, TELU,
];

const fn language(
    code: &'static str,
    iso639_3: &'static str,
    name: &'static str,
    native_name: &'static str,
    scripts: &'static [Script],
) -> Language {
    Language {
        code,
        name,
        native_name,
        scripts,
        iso639_3,
        regional: &[],
    }
}

const fn with_regional(
    mut language: Language,
    regional: &'static [(&'static str, Script)],
) -> Language {
    language.regional = regional;
    language
}

/// English and the 22 scheduled languages of India.
const LANGUAGES: &[Language] = &[
    language("as", "asm", "Assamese", "অসমীয়া", &[BENG_AS]),
    language("bn", "ben", "Bengali", "বাংলা", &[BENG]),
    language("brx", "brx", "Bodo", "बड़ो", &[DEVA]),
    language("doi", "doi", "Dogri", "डोगरी", &[DEVA]),
    language("en", "eng", "English", "English", &[LATN]),
    language("gu", "guj", "Gujarati", "ગુજરાતી", &[GUJR]),
    language("hi", "hin", "Hindi", "हिन्दी", &[DEVA]),
    language("kn", "kan", "Kannada", "ಕನ್ನಡ", &[KNDA]),
    language("kok", "kok", "Konkani", "कोंकणी", &[DEVA]),
    language("ks", "kas", "Kashmiri", "کٲشُر", &[ARAB, DEVA]),
    language("mai", "mai", "Maithili", "मैथिली", &[DEVA]),
    language("ml", "mal", "Malayalam", "മലയാളം", &[MLYM]),
    language("mni", "mni", "Manipuri (Meitei)", "মৈতৈলোন্", &[BENG, MTEI]),
    language("mr", "mar", "Marathi", "मराठी", &[DEVA]),
    language("ne", "nep", "Nepali", "नेपाली", &[DEVA]),
    language("or", "ori", "Odia", "ଓଡ଼ିଆ", &[ORYA]),
    with_regional(
        language("pa", "pan", "Punjabi", "ਪੰਜਾਬੀ", &[GURU, SHAHMUKHI]),
        &[("PK", SHAHMUKHI)],
    ),
    language("sa", "san", "Sanskrit", "संस्कृतम्", &[DEVA]),
    language("sat", "sat", "Santali", "ᱥᱟᱱᱛᱟᱲᱤ", &[OLCK]),
    with_regional(
        language("sd", "snd", "Sindhi", "سنڌي", &[ARAB, DEVA]),
        &[("IN", DEVA)],
    ),
    language("ta", "tam", "Tamil", "தமிழ்", &[TAML]),
    language("te", "tel", "Telugu", "తెలుగు", &[TELU]),
    language("ur", "urd", "Urdu", "اردو", &[ARAB]),
];

/// Every language, in order of code.
pub fn all() -> &'static [Language] {
    LANGUAGES
}

/// The language, canonical tag and script of a BCP 47 tag, when both the tag
/// is well-formed and the language is of the catalogue.
pub fn find(tag: &str) -> Option<LanguageTag> {
    resolve(tag).ok()
}

/// As [`find`], saying why not.
pub fn resolve(tag: &str) -> Result<LanguageTag, LanguageError> {
    let parsed = Subtags::parse(tag)?;
    let language = LANGUAGES
        .iter()
        .find(|l| l.code == parsed.language || l.iso639_3 == parsed.language)
        .ok_or(LanguageError::UnknownLanguage)?;
    let script = match &parsed.script {
        Some(code) => language
            .scripts
            .iter()
            .chain(SCRIPTS)
            .find(|s| s.code == code)
            .copied()
            .ok_or(LanguageError::UnknownScript)?,
        None => {
            let region = parsed.region.as_deref();
            language
                .regional
                .iter()
                .find(|(code, _)| region == Some(code))
                .map(|(_, script)| *script)
                .or_else(|| language.scripts.first().copied())
                .unwrap_or(LATN)
        }
    };
    let mut tag = language.code.to_owned();
    let after = [parsed.script.as_deref(), parsed.region.as_deref()];
    for part in after.into_iter().flatten() {
        tag.push('-');
        tag.push_str(part);
    }
    for part in &parsed.rest {
        tag.push('-');
        tag.push_str(part);
    }
    Ok(LanguageTag {
        tag,
        language,
        script,
    })
}

/// The parts of a well-formed tag, in canonical case.
#[derive(Debug, PartialEq, Eq)]
struct Subtags {
    language: String,
    script: Option<String>,
    region: Option<String>,
    /// Variants, extensions, private use.
    rest: Vec<String>,
}

/// Longest tag taken. RFC 5646 §4.4.1 asks for at least 35.
const MAX_TAG: usize = 64;

impl Subtags {
    /// Splits by RFC 5646 §2.1, without extended language subtags (each has a
    /// primary subtag that is preferred) and grandfathered tags.
    fn parse(tag: &str) -> Result<Self, LanguageError> {
        let bad = LanguageError::Malformed;
        if tag.len() > MAX_TAG || !tag.is_ascii() {
            return Err(bad);
        }
        let mut parts = tag.split('-').peekable();
        let alpha = |s: &str| s.bytes().all(|b| b.is_ascii_alphabetic());
        let language = match parts.next() {
            Some(s) if (2..=3).contains(&s.len()) && alpha(s) => s.to_ascii_lowercase(),
            _ => return Err(bad),
        };
        let script = parts.next_if(|s| s.len() == 4 && alpha(s)).map(|s| {
            let mut s = s.to_ascii_lowercase();
            if let Some(first) = s.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            s
        });
        let region = parts
            .next_if(|s| {
                (s.len() == 2 && alpha(s))
                    || (s.len() == 3 && s.bytes().all(|b| b.is_ascii_digit()))
            })
            .map(str::to_ascii_uppercase);
        let rest: Vec<String> = parts.map(str::to_ascii_lowercase).collect();
        if rest_is_well_formed(&rest) {
            Ok(Self {
                language,
                script,
                region,
                rest,
            })
        } else {
            Err(bad)
        }
    }
}

/// Variants (`5*8alphanum` or a digit and three), then extensions (a
/// singleton and its subtags), then private use (`x-…`); nothing twice.
fn rest_is_well_formed(rest: &[String]) -> bool {
    let mut singleton: Option<char> = None;
    let mut seen: Vec<&str> = Vec::new();
    let mut open = false;
    for part in rest {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return false;
        }
        match (singleton, part.len()) {
            (Some('x'), _) => open = false,
            (_, 1) => {
                if open || seen.contains(&part.as_str()) {
                    return false;
                }
                seen.push(part);
                singleton = part.chars().next();
                open = true;
            }
            (Some(_), _) => open = false,
            (None, length) => {
                let digit_first = part.as_bytes().first().is_some_and(u8::is_ascii_digit);
                let variant = length >= 5 || (length == 4 && digit_first);
                if !variant || seen.contains(&part.as_str()) {
                    return false;
                }
                seen.push(part);
            }
        }
    }
    !open
}

fn codes() -> String {
    let codes: Vec<&str> = LANGUAGES.iter().map(|l| l.code).collect();
    codes.join(", ")
}

fn script_codes() -> String {
    let codes: Vec<&str> = SCRIPTS.iter().map(|s| s.code).collect();
    codes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(tag: &str) -> (String, &'static str, &'static str) {
        let found = find(tag).unwrap_or_else(|| panic!("{tag}"));
        (found.tag, found.language.code, found.script.code)
    }

    #[test]
    fn tags_in_any_case_become_canonical() {
        for (given, tag, language, script) in [
            ("hi", "hi", "hi", "Deva"),
            ("hi-IN", "hi-IN", "hi", "Deva"),
            ("HI-in", "hi-IN", "hi", "Deva"),
            ("hi-Latn", "hi-Latn", "hi", "Latn"),
            ("HI-lATN-in", "hi-Latn-IN", "hi", "Latn"),
            ("hin", "hi", "hi", "Deva"),
            ("en-001", "en-001", "en", "Latn"),
            ("pa", "pa", "pa", "Guru"),
            ("pa-PK", "pa-PK", "pa", "Arab"),
            ("pa-Guru-PK", "pa-Guru-PK", "pa", "Guru"),
            ("sd", "sd", "sd", "Arab"),
            ("sd-IN", "sd-IN", "sd", "Deva"),
            ("mni-Mtei", "mni-Mtei", "mni", "Mtei"),
            ("sat", "sat", "sat", "Olck"),
            ("en-GB-Oxendict", "en-GB-oxendict", "en", "Latn"),
            ("en-u-CO-phonebk", "en-u-co-phonebk", "en", "Latn"),
            ("hi-x-home", "hi-x-home", "hi", "Deva"),
            ("en-1994", "en-1994", "en", "Latn"),
        ] {
            assert_eq!(found(given), (tag.to_owned(), language, script), "{given}");
        }
    }

    #[test]
    fn canonical_tags_are_fixed_points() {
        for language in all() {
            assert_eq!(found(language.code).0, language.code);
            assert_eq!(found(language.iso639_3).0, language.code);
            for script in language.scripts {
                let tag = format!("{}-{}", language.code, script.code);
                assert_eq!(found(&tag), (tag.clone(), language.code, script.code));
            }
        }
    }

    #[test]
    fn unknown_and_malformed_are_told_apart() {
        for tag in ["fr", "xx", "zz-Latn", "swa-KE"] {
            assert_eq!(resolve(tag), Err(LanguageError::UnknownLanguage), "{tag}");
            assert_eq!(find(tag), None);
        }
        assert_eq!(resolve("hi-Zzzz"), Err(LanguageError::UnknownScript));
        for tag in [
            "",
            "-",
            "h",
            "hindi",
            "hi_IN",
            "hi-",
            "-hi",
            "hi--IN",
            "hi IN",
            "हि",
            "hi-I",
            "hi-IN-",
            "hi-x",
            "en-u",
            "h1",
            "hi-IN-IN",
            "hi-123456789",
            "en-u-co-u-co",
        ] {
            assert_eq!(resolve(tag), Err(LanguageError::Malformed), "{tag}");
        }
        assert_eq!(resolve(&"hi-".repeat(40)), Err(LanguageError::Malformed));
        let message = LanguageError::UnknownLanguage.to_string();
        assert!(
            message.contains("as, bn, brx") && message.contains("ur"),
            "{message}"
        );
    }

    #[test]
    fn the_catalogue_is_sorted_unique_and_whole() {
        let codes: Vec<_> = all().iter().map(|l| l.code).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
        assert_eq!(codes.len(), 23);
        for needed in "en hi ta kn ml te or as gu bn pa mr ur".split(' ') {
            assert!(codes.contains(&needed), "{needed}");
        }
        for language in all() {
            assert!(!language.scripts.is_empty());
            assert!(!language.native_name.is_empty());
        }
    }

    #[test]
    fn what_clients_see() {
        let hindi = serde_json::to_value(find("hi").unwrap().language).unwrap();
        assert_eq!(
            hindi,
            serde_json::json!({
                "code": "hi", "name": "Hindi", "native_name": "हिन्दी",
                "scripts": [{"code": "Deva", "name": "Devanagari"}],
            })
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_answered(tag in "\\PC*") {
            let _ = resolve(&tag);
        }

        #[test]
        fn what_is_found_is_found_again(tag in "[a-zA-Z]{2,3}(-[a-zA-Z0-9]{1,8}){0,3}") {
            if let Some(found) = find(&tag) {
                proptest::prop_assert_eq!(find(&found.tag), Some(found));
            }
        }
    }
}
