//! Where each setting comes from, found out without asking for the key.

use super::{KEY, PROFILE, Profile, Profiles, URL, address, chosen, variable};
use crate::failure::Failure;

/// What a profile says of its address.
pub const CONFIG: &str = "config.toml";
/// A program that prints the key.
pub const COMMAND: &str = "credential_command";
/// The file that keeps keys.
pub const FILE: &str = "credentials.toml";

/// The keyring of the system.
pub const KEYRING: &str = "keyring";

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// A flag, a variable, or a file.
    pub from: &'static str,
}

/// What a command would talk to.
#[derive(Debug)]
pub struct Settings<'a> {
    /// The profile that is chosen.
    pub profile: Option<Found<String>>,
    /// The address, without a slash at its end.
    pub url: Option<Found<String>>,
    /// The profile with this address, if it is the chosen one: its key goes nowhere else.
    pub owner: Option<(String, &'a Profile)>,
    /// Where the key would be taken from.
    pub key_from: Option<&'static str>,
}

impl<'a> Settings<'a> {
    /// Of a flag, variables and the file of profiles.
    ///
    /// # Errors
    /// There is no such profile, or an address is none.
    pub fn of(flag: Option<&str>, profiles: &'a Profiles) -> Result<Self, Failure> {
        let name = chosen(flag, profiles);
        let profile = match &name {
            Some(name) => Some(
                profiles
                    .named(name)?
                    .ok_or_else(|| profiles.unknown(name))?,
            ),
            None => None,
        };
        let from = match (flag, variable(PROFILE)) {
            (Some(_), _) => "--profile",
            (None, Some(_)) => PROFILE,
            (None, None) => CONFIG,
        };
        // A flag goes before variables; the default of the file does not.
        let found = |value: String, from| -> Result<_, Failure> {
            let value = address(&value)?;
            Ok(Found { value, from })
        };
        let url = match (variable(URL).filter(|_| flag.is_none()), profile) {
            (Some(url), _) => Some(found(url, URL)?),
            (None, Some(profile)) => Some(found(profile.url.clone(), CONFIG)?),
            (None, None) => None,
        };
        let owner = profile.zip(name.clone()).and_then(|(profile, name)| {
            let own = address(&profile.url).ok()?;
            let is_own = url.as_ref().is_some_and(|url| url.value == own);
            is_own.then_some((name, profile))
        });
        let key_from = match (variable(KEY).filter(|_| flag.is_none()), &owner) {
            (Some(_), _) => Some(KEY),
            (None, Some((_, profile))) => Some(kept_in(profile)),
            (None, None) => None,
        };
        let profile = name.map(|value| Found { value, from });
        Ok(Self {
            profile,
            url,
            owner,
            key_from,
        })
    }
}

/// Where a profile has its key.
pub fn kept_in(profile: &Profile) -> &'static str {
    match profile.credential_command {
        Some(_) => COMMAND,
        None if profile.keyring => KEYRING,
        None => FILE,
    }
}
