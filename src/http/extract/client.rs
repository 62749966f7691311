//! The client of a request: its address, and whether it uses https.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request},
    http::{Extensions, HeaderMap, HeaderValue, header, request::Parts, uri::Authority},
};

use crate::{
    http::{Shared, problem::Problem},
    service::audit::RequestContext,
};

/// The id of a request.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// The client of a request.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The address, as reported by trusted proxies.
    pub address: IpAddr,
    /// Whether it uses https: to us, to a trusted proxy, or by the public URL.
    pub https: bool,
    /// Whether this request came over https, to us or to a trusted proxy.
    came_over_https: bool,
}

impl FromRequestParts<Shared> for Client {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        Ok(Self::of(&parts.extensions, &parts.headers, state))
    }
}

impl FromRequestParts<Shared> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &Shared) -> Result<Self, Problem> {
        Ok(request_context(&parts.extensions, &parts.headers, state))
    }
}

/// Returns the origin of a request for the audit log.
pub fn request_context(extensions: &Extensions, headers: &HeaderMap, state: &Shared) -> RequestContext {
    let id = extensions.get::<RequestId>().map(|RequestId(id)| id.clone()).unwrap_or_default();
    RequestContext { address: Client::of(extensions, headers, state).address, id }
}

impl Client {
    /// Returns the client of a request.
    pub fn of(extensions: &Extensions, headers: &HeaderMap, state: &Shared) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        Self::behind(peer, headers, state)
    }

    fn behind(peer: IpAddr, headers: &HeaderMap, state: &Shared) -> Self {
        let settings = &state.settings;
        let trusted = |address: &IpAddr| settings.trusted_proxies.iter().any(|net| net.contains(address));
        let https =
            settings.tls || settings.public_url.as_ref().is_some_and(|url| url.scheme_str() == Some("https"));
        if !trusted(&peer) {
            return Self { address: peer, https, came_over_https: settings.tls };
        }
        // Each proxy appends the address that it sees. The last one that is no trusted proxy is the client's.
        // Earlier ones are sent by the client and not trusted.
        let values = headers.get_all("x-forwarded-for").iter().map(HeaderValue::as_bytes);
        let hops = values.flat_map(|value| value.split(|byte| *byte == b','));
        let hops: Vec<&[u8]> = hops.filter(|hop| !hop.trim_ascii().is_empty()).collect();
        let mut hops = hops.into_iter().rev().map_while(address_of);
        let mut address = peer;
        while trusted(&address)
            && let Some(hop) = hops.next()
        {
            address = hop;
        }
        let forwarded_https = headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
        Self { address, https: https || forwarded_https, came_over_https: settings.tls || forwarded_https }
    }
}

/// Parses an address as proxies write it: `203.0.113.7`, `203.0.113.7:5123`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:5123`.
fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().map(IpAddr::V6).ok();
    let address = hop.parse::<IpAddr>().ok();
    let address = address.or_else(|| hop.parse::<SocketAddr>().map(|address| address.ip()).ok());
    Some(address.or_else(bracketed)?.to_canonical())
}

/// Returns whether another site's page sent this request. Browsers tell by `Sec-Fetch-Site`, older ones by
/// `Origin` (OWASP Cross-Site Request Forgery Prevention Cheat Sheet). A request with neither is not from a
/// browser.
pub fn is_cross_site(request: &Request, state: &Shared) -> bool {
    let headers = request.headers();
    if let Some(site) = headers.get("sec-fetch-site") {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let Some((scheme, origin)) = origin.to_str().ok().and_then(|origin| origin.split_once("://")) else {
        return true; // "null", or no origin at all
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the request target.
    let host = host.or(request.uri().authority().map(Authority::as_str));
    let public_url = state.settings.public_url.as_ref();
    let is_public = public_url
        .and_then(|url| url.authority())
        .is_some_and(|ours| ours.as_str().eq_ignore_ascii_case(origin));
    if !is_public && host.is_none_or(|ours| !ours.eq_ignore_ascii_case(origin)) {
        return true;
    }
    // An attacker on the network can serve a page of the same host over http.
    let needs_https = Client::of(request.extensions(), headers, state).came_over_https
        || is_public && public_url.is_some_and(|url| url.scheme_str() == Some("https"));
    needs_https && !scheme.eq_ignore_ascii_case("https")
}
