//! `extrophi://` links, which anybody may have written: they lead to places of the Writer, and do nothing else.

use std::fmt::Write as _;

use url::Url;

pub const SCHEME: &str = "extrophi";

/// The places that a link may lead to, each with what may be said there.
const PLACES: [(&str, &[&str]); 3] = [("documents", &["version", "start", "end"]), ("drafts", &[]), ("answers", &[])];

/// The Writer's route for a link: `extrophi://documents/<id>?version=&start=&end=`, `extrophi://drafts/<id>`,
/// `extrophi://answers/<id>`. None for every other.
pub fn route(link: &str) -> Option<String> {
    if link.len() > 500 {
        return None;
    }
    let url = Url::parse(link).ok()?;
    let is_bare =
        url.username().is_empty() && url.password().is_none() && url.port().is_none() && url.fragment().is_none();
    if url.scheme() != SCHEME || !is_bare {
        return None;
    }
    let (place, said) = PLACES.into_iter().find(|(place, _)| url.host_str() == Some(place))?;
    let id = url.path().strip_prefix('/')?;
    let id = id.strip_suffix('/').unwrap_or(id);
    if !is_id(id) {
        return None;
    }
    let mut route = format!("#/{place}/{id}");
    let mut mark = '?';
    for (name, value) in url.query_pairs() {
        let is_number = (1..=10).contains(&value.len()) && value.bytes().all(|one| one.is_ascii_digit());
        if !said.contains(&name.as_ref()) || !is_number {
            return None;
        }
        let _ = write!(route, "{mark}{name}={value}");
        mark = '&';
    }
    Some(route)
}

/// A UUID as Extrophi writes it.
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, one)| match at {
            8 | 13 | 18 | 23 => one == b'-',
            _ => one.is_ascii_digit() || (b'a'..=b'f').contains(&one),
        })
}

#[cfg(test)]
mod tests {
    use super::route;

    const ID: &str = "01987654-3210-7abc-8def-0123456789ab";

    #[test]
    fn known_places_open() {
        for (link, wanted) in [
            (format!("extrophi://documents/{ID}"), format!("#/documents/{ID}")),
            (
                format!("extrophi://documents/{ID}?version=2&start=10&end=20"),
                format!("#/documents/{ID}?version=2&start=10&end=20"),
            ),
            (format!("extrophi://drafts/{ID}/"), format!("#/drafts/{ID}")),
            (format!("EXTROPHI://answers/{ID}"), format!("#/answers/{ID}")),
        ] {
            assert_eq!(route(&link), Some(wanted), "{link}");
        }
    }

    #[test]
    fn nothing_else_does() {
        for link in [
            "".to_owned(),
            "extrophi:".to_owned(),
            "extrophi://".to_owned(),
            "extrophi://documents".to_owned(),
            "extrophi://documents/".to_owned(),
            "extrophi://documents/../settings".to_owned(),
            format!("extrophi://settings/{ID}"),
            format!("extrophi://sources/{ID}?add=https://evil.example"),
            format!("extrophi:///documents/{ID}"),
            format!("extrophi:documents/{ID}"),
            format!("extrophi://documents/{ID}/more"),
            format!("extrophi://documents/{ID}%2f.."),
            format!("extrophi://documents/{ID}#/settings"),
            format!("extrophi://documents/{ID}?start=1;alert(1)"),
            format!("extrophi://documents/{ID}?start=-1"),
            format!("extrophi://documents/{ID}?start="),
            format!("extrophi://documents/{ID}?start=99999999999"),
            format!("extrophi://documents/{ID}?find=x"),
            format!("extrophi://drafts/{ID}?start=1"),
            format!("extrophi://me:secret@documents/{ID}"),
            format!("extrophi://documents:80/{ID}"),
            format!("extrophi://documents.evil.example/{ID}"),
            format!("https://documents/{ID}"),
            "javascript:alert(1)".to_owned(),
            "extrophi://documents/<script>alert(1)</script>".to_owned(),
            "extrophi://drafts/new".to_owned(),
            "extrophi://drafts/file%3A..%2F..%2Fetc%2Fpasswd".to_owned(),
            format!("extrophi://documents/{}", ID.to_uppercase()),
            format!("extrophi://documents/{ID}?{}", "start=1&".repeat(100)),
            format!("extrophi://documents/{}", "a".repeat(2_000)),
        ] {
            assert_eq!(route(&link), None, "{link}");
        }
    }
}
