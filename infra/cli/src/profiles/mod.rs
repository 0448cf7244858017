//! Which deployment is talked to, and with which key.
//!
//! A profile has an address; its key comes from a program (`credential_command`) or from
//! a file beside the configuration that only its owner can read. Variables of the
//! environment go before both.

mod file;
mod key;
mod places;

pub use file::{Profile, Profiles, private_folder, replace};
pub use key::{forget, keep};
pub use places::{config, state};

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

/// Finds out what to talk to.
///
/// # Errors
/// No deployment is configured, or its key is not to be had.
pub fn target(flag: Option<&str>) -> Result<Target, Failure> {
    let profiles = Profiles::read()?;
    let name = chosen(flag, &profiles);
    let profile = match &name {
        Some(name) => match profiles.profile.get(name) {
            Some(profile) => Some(profile),
            None => {
                let message = format!("there is no profile {name:?}");
                return Err(Failure::usage(message).hint("stt-eval profiles lists them"));
            }
        },
        None => None,
    };
    // A flag goes before variables; the default of the file does not.
    let from_environment = variable(URL).filter(|_| flag.is_none());
    let (url, url_from) = match (from_environment, profile) {
        (Some(url), _) => (address(&url)?, URL.to_owned()),
        (None, Some(profile)) => (address(&profile.url)?, "config.toml".to_owned()),
        (None, None) => {
            return Err(Failure::usage("no deployment is configured").hint(
                "start one here: stt-eval-local serve; or log in to one: stt-eval login URL",
            ));
        }
    };
    let is_of_profile =
        profile.is_some_and(|profile| address(&profile.url).ok().as_ref() == Some(&url));
    let profile_name = name.filter(|_| is_of_profile);
    if let Some(key) = variable(KEY).filter(|_| flag.is_none()) {
        return Ok(Target {
            profile: profile_name,
            url_from,
            url,
            key_from: KEY.to_owned(),
            key: key::checked(key, KEY)?,
        });
    }
    // The key of a profile goes nowhere but to the address of the profile.
    let (Some(name), Some(profile)) = (profile_name, profile) else {
        let message = format!("there is no key for {url}");
        return Err(Failure::new(Exit::Access, "no_key", message)
            .hint(format!("set {KEY} beside {URL}, or stt-eval login {url}")));
    };
    let (key, key_from) = match &profile.credential_command {
        Some(command) => (key::from_command(&name, command)?, "credential_command"),
        None => (key::from_file(&name)?, "credentials.toml"),
    };
    Ok(Target {
        profile: Some(name),
        url_from,
        url,
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
