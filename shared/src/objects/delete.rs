//! Deleting for good: with all versions.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::{INCOMING, ObjectError, Objects, failed};

impl Objects {
    /// Deletes an object with all its versions. Deleting what is gone is no
    /// error.
    pub async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        if self.versioned {
            return self.delete_versions(key, Some(key)).await;
        }
        self.client
            .delete_object()
            .bucket(&*self.bucket)
            .key(key)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Deletes the object behind a file. Under `incoming/` people write a key
    /// as often as they like, and each version is a file of its own: only that
    /// one goes. Any other key is ours and was written once.
    pub async fn delete_file(&self, key: &str, version: Option<&str>) -> Result<(), ObjectError> {
        let Some(version) = version.filter(|_| key.starts_with(INCOMING)) else {
            return self.delete(key).await;
        };
        self.client
            .delete_object()
            .bucket(&*self.bucket)
            .key(key)
            .version_id(version)
            .send()
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Deletes everything under a prefix, with all versions.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<(), ObjectError> {
        if self.versioned {
            return self.delete_versions(prefix, None).await;
        }
        loop {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&*self.bucket)
                .prefix(prefix)
                .send()
                .await
                .map_err(failed)?;
            let objects = page
                .contents()
                .iter()
                .filter_map(|object| object.key())
                .map(|key| identifier(key, None))
                .collect::<Result<Vec<_>, _>>()?;
            if objects.is_empty() {
                return Ok(());
            }
            self.delete_objects(objects).await?;
        }
    }

    /// Deletes versions under a prefix; of one key only, where it is given.
    async fn delete_versions(&self, prefix: &str, only: Option<&str>) -> Result<(), ObjectError> {
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let page = self
                .client
                .list_object_versions()
                .bucket(&*self.bucket)
                .prefix(prefix)
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker)
                .send()
                .await
                .map_err(failed)?;
            let versions = page.versions().iter().map(|v| (v.key(), v.version_id()));
            let markers = page
                .delete_markers()
                .iter()
                .map(|v| (v.key(), v.version_id()));
            let objects = versions
                .chain(markers)
                .filter_map(|(key, version)| Some((key?, version)))
                .filter(|(key, _)| only.is_none_or(|only| only == *key))
                .map(|(key, version)| identifier(key, version))
                .collect::<Result<Vec<_>, _>>()?;
            if !objects.is_empty() {
                self.delete_objects(objects).await?;
            }
            if !page.is_truncated().unwrap_or(false) {
                return Ok(());
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            version_marker = page.next_version_id_marker().map(str::to_owned);
        }
    }

    async fn delete_objects(&self, objects: Vec<ObjectIdentifier>) -> Result<(), ObjectError> {
        for part in objects.chunks(1_000) {
            let delete = Delete::builder()
                .set_objects(Some(part.to_vec()))
                .quiet(true)
                .build()
                .map_err(|e| ObjectError::Unavailable(e.to_string()))?;
            let answer = self
                .client
                .delete_objects()
                .bucket(&*self.bucket)
                .delete(delete)
                .send()
                .await
                .map_err(failed)?;
            if let Some(error) = answer.errors().first() {
                let code = error.code().unwrap_or("unknown").to_owned();
                return Err(ObjectError::Unavailable(format!(
                    "an object was not deleted: {code}"
                )));
            }
        }
        Ok(())
    }
}

fn identifier(key: &str, version: Option<&str>) -> Result<ObjectIdentifier, ObjectError> {
    ObjectIdentifier::builder()
        .key(key)
        .set_version_id(version.map(str::to_owned))
        .build()
        .map_err(|e| ObjectError::Unavailable(e.to_string()))
}
