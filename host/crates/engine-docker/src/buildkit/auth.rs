//! Who one is for a registry, as BuildKit asks it of a session.
//!
//! Of the service `Auth` only `Credentials` is answered, and BuildKit fetches tokens itself.
//! Source: moby/buildkit, `session/auth` and `util/resolver/authorizer.go`; docker/cli, `authprovider.go`.

use std::collections::HashSet;
use std::path::PathBuf;

use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse, GetTokenAuthorityRequest,
    GetTokenAuthorityResponse, VerifyTokenAuthorityRequest, VerifyTokenAuthorityResponse,
};
use oci::credentials::{Credential, Credentials as _, CredentialsError, DockerConfig};
use tonic::{Request, Response, Status};

use super::session::Service;

/// The registries that a solve takes images from, and who one is for them.
#[derive(Default)]
pub(crate) struct Registries {
    /// As references write them.
    pub(crate) named: HashSet<String>,
    /// Docker's `config.json`; without it every registry is asked without a name.
    pub(crate) docker_config: Option<PathBuf>,
}

impl Registries {
    /// Returns what a registry may be shown; nothing if the solve does not name it.
    async fn credential(&self, host: &str) -> Result<Option<Credential>, CredentialsError> {
        // Docker Hub's name is not the host that serves it.
        let registry = if host == "registry-1.docker.io" { "docker.io" } else { host };
        match &self.docker_config {
            Some(path) if self.named.contains(registry) => DockerConfig::new(path).credential(registry).await,
            _ => Ok(None),
        }
    }
}

fn not_answered<T>() -> Result<Response<T>, Status> {
    Err(Status::unimplemented("`Credentials` answers"))
}

#[tonic::async_trait]
impl Auth for Service {
    async fn credentials(&self, request: Request<CredentialsRequest>) -> Result<Response<CredentialsResponse>, Status> {
        let found = self.offer().registries.credential(&request.into_inner().host).await;
        let found = found.map_err(|error| Status::internal(engine::chain(&error)))?;
        Ok(Response::new(match found {
            Some(Credential::Password { username, password }) => {
                CredentialsResponse { username, secret: password.reveal().to_owned() }
            }
            // A secret without a name is a token.
            Some(Credential::IdentityToken(token)) => {
                CredentialsResponse { username: String::new(), secret: token.reveal().to_owned() }
            }
            None => CredentialsResponse::default(),
        }))
    }

    async fn fetch_token(&self, _: Request<FetchTokenRequest>) -> Result<Response<FetchTokenResponse>, Status> {
        not_answered()
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        not_answered()
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        not_answered()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_registry_that_is_not_named_is_shown_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config.json");
        // `ann:pw` and `bob:pw`.
        let hub = r#""https://index.docker.io/v1/": {"auth": "Ym9iOnB3"}"#;
        std::fs::write(&config, format!(r#"{{"auths": {{"a.example": {{"auth": "YW5uOnB3"}}, {hub}}}}}"#)).unwrap();
        let check = async |named: &[&str], host: &str, expect: Option<&str>| {
            let named = named.iter().map(|name| (*name).to_owned()).collect();
            let registries = Registries { named, docker_config: Some(config.clone()) };
            let name = registries.credential(host).await.unwrap().map(|credential| match credential {
                Credential::Password { username, .. } => username,
                Credential::IdentityToken(_) => "a token".to_owned(),
            });
            assert_eq!(name.as_deref(), expect, "{host}");
        };
        check(&["a.example"], "a.example", Some("ann")).await;
        check(&["b.example"], "a.example", None).await;
        check(&["docker.io"], "registry-1.docker.io", Some("bob")).await;
        check(&[], "registry-1.docker.io", None).await;
    }
}
