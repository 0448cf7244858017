//! `profiles`: which deployments are configured, and where every value that a command would
//! use comes from.

use serde::Serialize;

use crate::arguments::Shared;
use crate::columns::columns;
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::profiles::{self, FILE, Profiles, Settings, in_file, kept_in};
use crate::project;

/// The origin of what nothing names.
const NOT_SET: &str = "not set";

#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    url: String,
    is_default: bool,
    key_from: &'static str,
}

/// A value that a command would use.
#[derive(Debug, Serialize)]
struct Setting {
    name: String,
    /// `None`: nothing is set. Of the key always: it is not shown.
    value: Option<String>,
    /// A flag, a variable, a file, `default`, or `not set`.
    from: String,
}

#[derive(Debug, Serialize)]
struct Document {
    schema: u32,
    ok: bool,
    config: String,
    profiles: Vec<Listed>,
    settings: Vec<Setting>,
    /// Variables that go before the file.
    environment: Vec<&'static str>,
    error: Option<ErrorOf>,
}

/// `profiles`.
pub fn list(shared: &Shared, output: &Output) -> Result<Exit, Failure> {
    let profiles = Profiles::read()?;
    let (in_file, refused) = in_file()?;
    let is_kept = |name: &str| in_file.contains(name);
    let listed = profiles.profile.iter().map(|(name, profile)| Listed {
        name: name.clone(),
        url: profile.url.clone(),
        is_default: profiles.default.as_ref() == Some(name),
        key_from: match kept_in(profile) {
            FILE if !is_kept(name) => NOT_SET,
            from => from,
        },
    });
    let document = Document {
        schema: SCHEMA,
        ok: true,
        config: profiles::config()?.display().to_string(),
        profiles: listed.collect(),
        settings: settings(&profiles, shared, &is_kept)?,
        environment: profiles::variables(),
        error: None,
    };
    for (name, reason) in &profiles.wrong {
        output.note(&format!(
            "note: {}: [profile.{name}] {reason}",
            document.config
        ));
    }
    // A command that needs a key of it would end with this.
    if let Some(refused) = refused {
        output.note(&format!("note: {}", refused.message));
        if let Some(hint) = refused.hint {
            output.note(&format!("hint: {hint}"));
        }
    }
    output.result(&document, || words(&document))?;
    Ok(Exit::Done)
}

fn settings(
    profiles: &Profiles,
    shared: &Shared,
    is_kept: &dyn Fn(&str) -> bool,
) -> Result<Vec<Setting>, Failure> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: Option<String>, from: &str| {
        all.push(Setting {
            name: name.to_owned(),
            value,
            from: from.to_owned(),
        });
    };
    let config = profiles::config_place()?;
    add(
        "config",
        Some(config.path.display().to_string()),
        config.from,
    );
    let journals = profiles::state_place()?;
    add(
        "journals",
        Some(journals.path.display().to_string()),
        journals.from,
    );
    let found = Settings::of(shared.profile.as_deref(), profiles)?;
    let (profile, from) = found.profile.map(|one| (one.value, one.from)).unzip();
    add("profile", profile, from.unwrap_or(NOT_SET));
    let (url, from) = found.url.map(|one| (one.value, one.from)).unzip();
    add("deployment", url, from.unwrap_or(NOT_SET));
    let owner = found.owner.as_ref().map(|(name, _)| name.as_str());
    let key_from = match found.key_from {
        Some(FILE) if !owner.is_some_and(is_kept) => NOT_SET,
        from => from.unwrap_or(NOT_SET),
    };
    add("key", None, key_from);
    let from = shared.patience.map_or("default", |_| "--patience");
    let patience = format!("{} s", shared.patience().as_secs());
    add("patience", Some(patience), from);
    if let Some((path, options)) = project::agreed()? {
        add("project", Some(path.display().to_string()), project::NAME);
        for (name, value) in options {
            add(&name, Some(value), project::NAME);
        }
    }
    Ok(all)
}

fn words(document: &Document) -> String {
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![row(["profile", "deployment", "key from", "default"])];
    for one in &document.profiles {
        let default = if one.is_default { "default" } else { "" };
        rows.push(row([&one.name, &one.url, one.key_from, default]));
    }
    let mut out = columns(&rows);
    out.push('\n');
    let widest = document.settings.iter().map(|one| one.name.len()).max();
    let widest = widest.unwrap_or_default();
    for one in &document.settings {
        let value = match (&*one.name, &one.value) {
            (_, Some(value)) => value,
            ("key", None) if one.from != NOT_SET => "not shown",
            (_, None) => "–",
        };
        out += &format!("  {:widest$}  {value}  ({})\n", one.name, one.from);
    }
    out
}
