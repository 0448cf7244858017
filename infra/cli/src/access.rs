//! `login`, `logout`, `whoami`.

use serde::Serialize;
use stt_eval_domain::KeyId;
use stt_eval_wire::access::{Right, Role, WhoAmI};
use stt_eval_wire::paths;

use crate::arguments::{LoginArguments, LogoutArguments, Shared};
use crate::columns::columns;
use crate::deployment::{Deployment, Request, wait_for};
use crate::failure::{Exit, Failure};
use crate::output::{ErrorOf, Output, SCHEMA};
use crate::profiles::{
    self, FIRST, Kept, Profile, Profiles, Target, address, chosen, forget, forget_in_keyring, keep,
    kept_in, unchosen,
};
use crate::read::name;
use crate::terminal::secret;

/// Whose key it is.
#[derive(Debug, Serialize)]
struct Who {
    schema: u32,
    ok: bool,
    profile: Option<String>,
    url: String,
    url_from: String,
    key_from: String,
    project: String,
    last_four: String,
    key_id: KeyId,
    key_name: String,
    role: Role,
    may: Vec<Right>,
    error: Option<ErrorOf>,
}

/// Asks whether the key is taken, and whose it is.
async fn who(deployment: &Deployment) -> Result<Who, Failure> {
    let asked = deployment.ask(&Request::get(paths::whoami())).await;
    let told: WhoAmI = asked.map_err(|failure| match failure.code {
        "not_found" => failure.hint("is the deployment as new as this program?"),
        _ => failure,
    })?;
    let target = &deployment.target;
    Ok(Who {
        schema: SCHEMA,
        ok: true,
        profile: target.profile.clone(),
        url: target.url.clone(),
        url_from: target.url_from.clone(),
        key_from: target.key_from.clone(),
        project: told.project,
        last_four: told.key.last_four,
        key_id: told.key.id,
        key_name: told.key.name,
        role: told.key.role,
        may: told.may,
        error: None,
    })
}

fn words(who: &Who) -> String {
    let profile = who.profile.as_deref().unwrap_or("–");
    let may: Vec<String> = who.may.iter().copied().map(name).collect();
    columns(&[
        vec![
            "deployment".to_owned(),
            format!("{} ({})", who.url, who.url_from),
        ],
        vec!["profile".to_owned(), profile.to_owned()],
        vec!["project".to_owned(), who.project.clone()],
        vec![
            "key".to_owned(),
            format!("…{} “{}” ({})", who.last_four, who.key_name, who.key_from),
        ],
        vec![
            "role".to_owned(),
            format!("{}: {}", name(who.role), may.join(", ")),
        ],
    ])
}

/// `whoami`.
pub fn whoami(shared: &Shared, output: &Output) -> Result<Exit, Failure> {
    let deployment = Deployment::new(
        profiles::target(shared.profile.as_deref())?,
        shared.patience(),
    )?;
    let who = wait_for(who(&deployment))?;
    output.result(&who, || words(&who))?;
    Ok(Exit::Done)
}

/// `login`: a key is kept once the deployment has taken it.
pub fn login(
    arguments: &LoginArguments,
    shared: &Shared,
    output: &Output,
) -> Result<Exit, Failure> {
    let profiles = Profiles::read()?;
    let (name, url) = match &arguments.deployment {
        Some(text) if text.contains("://") => {
            let name = shared.profile.clone().unwrap_or_else(|| FIRST.to_owned());
            (name, address(text)?)
        }
        other => {
            let name = other
                .clone()
                .or_else(|| chosen(shared.profile.as_deref(), &profiles));
            let profile = match &name {
                Some(name) => profiles.named(name)?,
                None => None,
            };
            let known = name.zip(profile.map(|profile| profile.url.clone()));
            let known = known.ok_or_else(|| {
                let message = match other {
                    Some(name) => format!("there is no profile {name:?}"),
                    None => "which deployment?".to_owned(),
                };
                Failure::usage(message)
                    .hint("stt-eval login URL, or login URL --profile NAME to keep several apart")
            })?;
            (known.0, address(&known.1)?)
        }
    };
    // What the file says beside the address stays, as long as it is of this deployment. That
    // it can be written so is known before a key is asked for.
    let before = profiles.named(&name)?;
    let own = before.filter(|before| address(&before.url).is_ok_and(|own| own == url));
    let in_file = Profile {
        // As it was written, with a slash at its end or without.
        url: own.map_or_else(|| url.clone(), |own| own.url.clone()),
        project: own.and_then(|own| own.project.clone()),
        credential_command: None,
        keyring: false,
    };
    let in_keyring = Profile {
        keyring: true,
        ..in_file.clone()
    };
    let of_file = profiles.with(&name, &in_file)?;
    let of_keyring = profiles.with(&name, &in_keyring)?;
    let key = secret(arguments.key_file.as_deref(), "the API key", output)?;
    let target = Target {
        profile: Some(name.clone()),
        url_from: "config.toml".to_owned(),
        url: url.clone(),
        key_from: "credentials.toml".to_owned(),
        key: key.clone(),
    };
    let deployment = Deployment::new(target, shared.patience())?;
    let mut who = wait_for(who(&deployment)).map_err(|failure| match failure.code {
        "key_refused" => failure.hint("nothing was kept: the same command with another key"),
        _ => failure,
    })?;
    let (kept, earlier) = keep(&name, &url, key)?;
    if let Kept::File(Some(reason)) = &kept {
        output.note(&format!(
            "note: the keyring can't be used ({reason}); the key is kept in credentials.toml"
        ));
    }
    let (profile, after) = match &kept {
        Kept::Keyring => (in_keyring, of_keyring),
        Kept::File(_) => (in_file, of_file),
    };
    if let Err(failure) = after.write(&profiles) {
        // A login that failed keeps nothing, and what was kept before stays.
        if let Err(left) = earlier.put_back(&name, &url, &kept) {
            let reason = left.message;
            output.note(&format!(
                "note: the key that was kept before can't be put back: {reason}"
            ));
        }
        return Err(failure);
    }
    if before.is_some_and(|before| before.credential_command.is_some()) {
        output.note(&format!(
            "note: credential_command of profile {name} is a comment in config.toml now: it would \
             go before the key that was kept"
        ));
    }
    who.key_from = kept_in(&profile).to_owned();
    output.result(&who, || format!("logged in\n{}", words(&who)))?;
    Ok(Exit::Done)
}

#[derive(Debug, Serialize)]
struct LoggedOut {
    schema: u32,
    ok: bool,
    profile: String,
    was_kept: bool,
    error: Option<ErrorOf>,
}

/// `logout`: forgets the key; the address stays.
pub fn logout(
    arguments: &LogoutArguments,
    shared: &Shared,
    output: &Output,
) -> Result<Exit, Failure> {
    let profiles = Profiles::read()?;
    let name = arguments.profile_name.clone();
    let name = name.or_else(|| chosen(shared.profile.as_deref(), &profiles));
    let name = name.ok_or_else(|| match profiles.names().is_empty() {
        true => Failure::usage("there is no profile"),
        false => unchosen(&profiles),
    })?;
    let profile = profiles.named(&name)?;
    let was_kept = match profile {
        Some(profile) if profile.keyring => forget_in_keyring(&name, &address(&profile.url)?)?,
        _ => forget(&name)?,
    };
    // A key may be kept of a profile that is there no more.
    if profile.is_none() && !was_kept {
        return Err(profiles.unknown(&name));
    }
    let document = LoggedOut {
        schema: SCHEMA,
        ok: true,
        profile: name,
        was_kept,
        error: None,
    };
    output.result(&document, || {
        let name = &document.profile;
        match was_kept {
            true => format!(
                "the key of profile {name} is forgotten here; it still works until it is revoked\n"
            ),
            false => format!("no key is kept for profile {name}\n"),
        }
    })?;
    Ok(Exit::Done)
}
