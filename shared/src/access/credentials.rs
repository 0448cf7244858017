//! The vault: provider keys, envelope-encrypted.
//!
//! Each credential has a data key of its own. In AWS the data key comes from
//! KMS (which wraps it under the deployment's key, bound to project and
//! provider by the encryption context); on the embedded cloud it is wrapped
//! under a key file of the data directory. All else is one code path. Sealing
//! needs `kms:GenerateDataKey` only, opening needs `kms:Decrypt`: so the api
//! function can keep a credential and can't read one.

use std::collections::HashMap;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};

use crate::aws::Lazy;
use crate::crypto::random;
use crate::domain::{ProjectId, Timestamp};
use crate::providers::{API_KEY, Credential};
use crate::sdk_error::told;

/// A credential as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedCredential {
    /// Provider it is for.
    pub provider: String,
    /// Names this version of the credential; new with each PUT.
    pub id: String,
    /// All that ever comes back of the key.
    pub last_four: String,
    /// Where the vendor is to work with it, which is no secret; `None` is its usual place, or
    /// not known of one that was kept before this was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The data key, wrapped; base64.
    pub wrapped_key: String,
    /// Nonce and ciphertext; base64.
    pub ciphertext: String,
    /// When it was first kept.
    pub inserted_at: Timestamp,
    /// When it was last replaced.
    pub updated_at: Timestamp,
}

/// Why a credential could not be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The key service failed. For logs only.
    #[error("key service: {0}")]
    Unavailable(String),
    /// It is not what was sealed, or not for this project and provider.
    #[error("the credential does not open")]
    Sealed,
}

/// Where data keys come from.
#[derive(Clone)]
pub enum DataKeys {
    /// AWS KMS and the key to wrap under.
    Kms {
        /// Client, built for the first credential.
        client: Lazy<aws_sdk_kms::Client>,
        /// ARN or id of the key.
        key_id: std::sync::Arc<str>,
    },
    /// A key file of this machine.
    File(std::sync::Arc<SecretBox<[u8; 32]>>),
}

/// Seals and opens credentials.
#[derive(Clone)]
pub struct Vault {
    keys: DataKeys,
}

fn context(project: &ProjectId, provider: &str) -> HashMap<String, String> {
    HashMap::from([
        ("project".into(), project.to_string()),
        ("provider".into(), provider.to_owned()),
    ])
}

fn aad(project: &ProjectId, provider: &str) -> Vec<u8> {
    format!("stt-eval/1 project={project} provider={provider}").into_bytes()
}

fn seal(key: &[u8], plain: &[u8], aad: Vec<u8>) -> Result<Vec<u8>, VaultError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Sealed)?;
    let nonce: [u8; NONCE_LEN] = random().map_err(|e| VaultError::Unavailable(e.to_string()))?;
    let mut text = plain.to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut text,
        )
        .map_err(|_| VaultError::Sealed)?;
    Ok([nonce.as_slice(), &text].concat())
}

fn open(key: &[u8], sealed: &[u8], aad: Vec<u8>) -> Result<Vec<u8>, VaultError> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| VaultError::Sealed)?;
    let (nonce, text) = sealed
        .split_at_checked(NONCE_LEN)
        .ok_or(VaultError::Sealed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Sealed)?;
    let mut text = text.to_vec();
    let plain = LessSafeKey::new(key)
        .open_in_place(nonce, Aad::from(aad), &mut text)
        .map_err(|_| VaultError::Sealed)?;
    Ok(plain.to_vec())
}

impl DataKeys {
    async fn generate(
        &self,
        project: &ProjectId,
        provider: &str,
    ) -> Result<(SecretBox<Vec<u8>>, Vec<u8>), VaultError> {
        match self {
            Self::Kms { client, key_id } => {
                let answer = client
                    .generate_data_key()
                    .key_id(&**key_id)
                    .key_spec(DataKeySpec::Aes256)
                    .set_encryption_context(Some(context(project, provider)))
                    .send()
                    .await
                    .map_err(unavailable)?;
                let plain = answer.plaintext.map(Blob::into_inner).unwrap_or_default();
                let wrapped = answer
                    .ciphertext_blob
                    .map(Blob::into_inner)
                    .unwrap_or_default();
                Ok((SecretBox::new(Box::new(plain)), wrapped))
            }
            Self::File(master) => {
                let plain: [u8; 32] =
                    random().map_err(|e| VaultError::Unavailable(e.to_string()))?;
                let wrapped = seal(master.expose_secret(), &plain, aad(project, provider))?;
                Ok((SecretBox::new(Box::new(plain.to_vec())), wrapped))
            }
        }
    }

    async fn unwrap(
        &self,
        wrapped: Vec<u8>,
        project: &ProjectId,
        provider: &str,
    ) -> Result<SecretBox<Vec<u8>>, VaultError> {
        let plain = match self {
            Self::Kms { client, key_id } => client
                .decrypt()
                .key_id(&**key_id)
                .ciphertext_blob(Blob::new(wrapped))
                .set_encryption_context(Some(context(project, provider)))
                .send()
                .await
                .map_err(unavailable)?
                .plaintext
                .map(Blob::into_inner)
                .unwrap_or_default(),
            Self::File(master) => open(master.expose_secret(), &wrapped, aad(project, provider))?,
        };
        Ok(SecretBox::new(Box::new(plain)))
    }
}

fn unavailable<E>(error: aws_sdk_kms::error::SdkError<E>) -> VaultError
where
    E: aws_sdk_kms::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    VaultError::Unavailable(told(&error))
}

/// What may be told of, of all that is sealed: of the key alone, where there are other
/// fields.
fn key_of(secret: &SecretString) -> String {
    let whole = Credential {
        id: String::new(),
        secret: secret.clone(),
    };
    let key = whole.field(API_KEY);
    key.map_or_else(String::new, |key| key.expose_secret().to_owned())
}

impl Vault {
    /// Over a source of data keys.
    #[must_use]
    pub fn new(keys: DataKeys) -> Self {
        Self { keys }
    }

    /// Seals a provider key.
    pub async fn seal(
        &self,
        project: &ProjectId,
        provider: &str,
        secret: &SecretString,
        inserted_at: Timestamp,
        now: Timestamp,
    ) -> Result<SealedCredential, VaultError> {
        let (key, wrapped) = self.keys.generate(project, provider).await?;
        let text = secret.expose_secret();
        let ciphertext = seal(key.expose_secret(), text.as_bytes(), aad(project, provider))?;
        let id: [u8; 6] = random().map_err(|e| VaultError::Unavailable(e.to_string()))?;
        let tail = key_of(secret).chars().rev().take(4).collect::<Vec<_>>();
        Ok(SealedCredential {
            region: None,
            provider: provider.to_owned(),
            id: hex::encode(id),
            last_four: tail.into_iter().rev().collect(),
            wrapped_key: STANDARD.encode(wrapped),
            ciphertext: STANDARD.encode(ciphertext),
            inserted_at,
            updated_at: now,
        })
    }

    /// Opens a provider key.
    pub async fn open(
        &self,
        project: &ProjectId,
        sealed: &SealedCredential,
    ) -> Result<Credential, VaultError> {
        let decode = |text: &str| STANDARD.decode(text).map_err(|_| VaultError::Sealed);
        let provider = &*sealed.provider;
        let key = self
            .keys
            .unwrap(decode(&sealed.wrapped_key)?, project, provider)
            .await?;
        let plain = open(
            key.expose_secret(),
            &decode(&sealed.ciphertext)?,
            aad(project, provider),
        )?;
        let secret = String::from_utf8(plain).map_err(|_| VaultError::Sealed)?;
        Ok(Credential {
            id: sealed.id.clone(),
            secret: secret.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        let key = SecretBox::new(Box::new([byte; 32]));
        Vault::new(DataKeys::File(std::sync::Arc::new(key)))
    }

    #[tokio::test]
    async fn opens_for_its_project_and_provider_only() {
        let (demo, other) = ("demo".parse().unwrap(), "other".parse().unwrap());
        let now = Timestamp::default();
        let vault = vault(1);
        let secret = SecretString::from("AIza-very-secret-1234");
        let sealed = vault
            .seal(&demo, "google", &secret, now, now)
            .await
            .unwrap();
        assert_eq!(sealed.last_four, "1234");
        assert!(!format!("{sealed:?}").contains("very-secret"));
        let opened = vault.open(&demo, &sealed).await.unwrap();
        assert_eq!(opened.secret.expose_secret(), "AIza-very-secret-1234");
        assert_eq!(
            vault.open(&other, &sealed).await.unwrap_err(),
            VaultError::Sealed
        );
        // Of several fields the key is told of.
        let fields = SecretString::from(r#"{"api_key":"k-5678","base_url":"https://h"}"#);
        let several = vault.seal(&demo, "custom/a", &fields, now, now).await;
        assert_eq!(several.unwrap().last_four, "5678");
        let no_key = SecretString::from(r#"{"base_url":"https://h"}"#);
        let none = vault.seal(&demo, "custom/a", &no_key, now, now).await;
        assert_eq!(none.unwrap().last_four, "");
        let moved = SealedCredential {
            provider: "sarvam".into(),
            ..sealed.clone()
        };
        assert!(vault.open(&demo, &moved).await.is_err());
        assert!(self::vault(2).open(&demo, &sealed).await.is_err());
    }
}
