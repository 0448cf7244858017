//! Which deployment is talked to, and with which key.
//!
//! A profile has an address; its key comes from a program (`credential_command`) or from
//! a file beside the configuration that only its owner can read. Variables of the
//! environment go before both.

mod edit;
mod file;
mod key;
#[cfg(feature = "keyring")]
mod keyring;
mod origin;
mod places;

pub use file::{Profile, Profiles, private_folder, replace};
pub use key::{Kept, forget, forget_in_keyring, in_file, keep};
pub use origin::{FILE, Settings, kept_in};
pub use places::{config, config_place, state, state_place};

use stt_eval_wire::secret::SecretText;

use crate::failure::{Exit, Failure};

/// Name of the profile of a first `login`.
pub const FIRST: &str = "default";
/// The address of a deployment.
const URL: &str = "STT_EVAL_URL";
/// The key.
const KEY: &str = "STT_EVAL_API_KEY";
/// Name of a profile.
const PROFILE: &str = "STT_EVAL_PROFILE";

/// What a command talks to.
#[derive(Debug, Clone)]
pub struct Target {
    /// Name of the profile, if there is one.
    pub profile: Option<String>,
    /// Where the address comes from.
    pub url_from: String,
    /// The address, without a slash at its end.
    pub url: String,
    /// Where the key comes from.
    pub key_from: String,
    /// The key.
    pub key: SecretText,
}

/// Which variables are set.
pub fn variables() -> Vec<&'static str> {
    let mut names = vec![PROFILE, URL, KEY];
    names.retain(|name| variable(name).is_some());
    names
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The name of the profile that is asked for: flag, variable, then the configuration.
pub fn chosen(flag: Option<&str>, profiles: &Profiles) -> Option<String> {
    let named = flag.map(str::to_owned).or_else(|| variable(PROFILE));
    named.or_else(|| profiles.default.clone())
}

/// That none of the profiles is chosen.
pub fn unchosen(profiles: &Profiles) -> Failure {
    let names = profiles.names();
    let one = names.first().copied().unwrap_or(FIRST);
    let message = format!("no profile is chosen; there are {}", names.join(", "));
    Failure::usage(message).hint(format!(
        "--profile {one}, {PROFILE}={one}, or default = {one:?} as the first line of config.toml"
    ))
}

/// Finds out what to talk to.
///
/// # Errors
/// No deployment is configured, or its key is not to be had.
pub fn target(flag: Option<&str>) -> Result<Target, Failure> {
    let profiles = Profiles::read()?;
    let settings = Settings::of(flag, &profiles)?;
    let Some(url) = settings.url else {
        if !profiles.names().is_empty() {
            return Err(unchosen(&profiles));
        }
        let message = match Profiles::missing()? {
            Some(place) => format!(
                "no deployment is configured: {} names {}, which is not there",
                place.from,
                place.path.display()
            ),
            None => "no deployment is configured".to_owned(),
        };
        return Err(Failure::usage(message).hint(
            "start one here: stt-eval-local serve; or log in to one: stt-eval login URL; run \
             --demo shows the flow on simulated models",
        ));
    };
    let profile = settings.owner.as_ref().map(|(name, _)| name.clone());
    let (key, key_from) = match (settings.key_from, settings.owner) {
        (Some(KEY), _) => (key::checked(variable(KEY).unwrap_or_default(), KEY)?, KEY),
        (Some(from), Some((name, profile))) => {
            let key = match &profile.credential_command {
                Some(command) => key::from_command(&name, command)?,
                None if profile.keyring => key::from_keyring(&name, &url.value)?,
                None => key::from_file(&name)?,
            };
            (key, from)
        }
        // The key of a profile goes nowhere but to the address of the profile.
        _ => {
            let url = url.value;
            let message = format!("there is no key for {url}");
            return Err(Failure::new(Exit::Access, "no_key", message)
                .hint(format!("set {KEY} beside {URL}, or stt-eval login {url}")));
        }
    };
    Ok(Target {
        profile,
        url_from: url.from.to_owned(),
        url: url.value,
        key_from: key_from.to_owned(),
        key,
    })
}

/// An address as it is used: https, or http on this machine, without a slash at its end.
///
/// # Errors
/// It is none, or would send the key in clear over a network.
pub fn address(text: &str) -> Result<String, Failure> {
    let wrong = |reason: &str| {
        Failure::usage(format!("the address of the deployment {reason}"))
            .hint("such as https://stt.example.org or http://127.0.0.1:8787")
    };
    let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong("is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("must hold no user and no password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("must end before its query"));
    }
    let host = url.host_str().unwrap_or_default();
    let is_here = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => return Err(wrong("must be https: the key would be read on the way")),
        _ => return Err(wrong("must be https")),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_safe_or_refused() {
        assert_eq!(address("https://a.example/").unwrap(), "https://a.example");
        assert_eq!(
            address("http://127.0.0.1:1/x/").unwrap(),
            "http://127.0.0.1:1/x"
        );
        for wrong in [
            "a.example",
            "http://a.example",
            "ftp://a",
            "https://u:p@a",
            "https://a?b",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
