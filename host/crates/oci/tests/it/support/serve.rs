//! Reads the requests to the registry of tests and writes its responses. Each connection has one
//! request.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};

use oci::Digest;

use super::fake::{Asked, Fake, Reply, State};

/// Serves one connection.
pub(super) fn connection(stream: impl Read + Write, fake: &Fake) {
    let mut reader = BufReader::new(stream);
    // This is the first byte of TLS.
    if matches!(reader.fill_buf(), Ok([0x16, ..])) {
        let _ = write_answer(reader.get_mut(), &Reply::new(400, "not HTTP"), false);
        return;
    }
    let Some(asked) = read(&mut reader) else { return };
    let is_head = asked.method == "HEAD";
    let reply = fake.answer(asked);
    // The client has closed the connection, and needs no more.
    let _ = write(reader, &reply, is_head);
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length: &String| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body })
}

fn write<S: Read + Write>(mut reader: BufReader<S>, reply: &Reply, is_head: bool) -> std::io::Result<()> {
    if reply.status != 0 {
        write_answer(reader.get_mut(), reply, is_head)?;
    }
    if reply.stalls {
        // The connection stays open until the client closes it.
        let _ = reader.read(&mut [0; 1]);
    }
    Ok(())
}

fn write_answer(stream: &mut impl Write, reply: &Reply, is_head: bool) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Text\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if !head.to_lowercase().contains("content-length") && !head.contains("chunked") {
        head += &format!("Content-Length: {}\r\n", reply.length.unwrap_or(reply.body.len()));
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let body = if is_head { &[] } else { &reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())] };
    if reply.drip.is_zero() {
        stream.write_all(body)?;
        return stream.flush();
    }
    stream.flush()?;
    body.iter().try_for_each(|byte| {
        std::thread::sleep(reply.drip);
        stream.write_all(&[*byte])?;
        stream.flush()
    })
}

/// Responds as the specification says.
pub(super) fn behave(state: &mut State, asked: &Asked) -> Reply {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let Some(rest) = path.strip_prefix("/v2/") else { return Reply::new(404, "") };
    if let Some((repository, upload)) = rest.split_once("/blobs/uploads/") {
        return behave_upload(state, asked, repository, upload, query);
    }
    if let Some((repository, digest)) = rest.split_once("/blobs/") {
        return match state.blobs.get(&(repository.to_owned(), digest.to_owned())) {
            Some(blob) => ranged(blob, asked.header("range")),
            None => Reply::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        };
    }
    let Some((repository, name)) = rest.split_once("/manifests/") else { return Reply::new(404, "") };
    if asked.method == "PUT" {
        let digest = Digest::of(&asked.body).to_string();
        for name in [name.to_owned(), digest.clone()] {
            let stored = (asked.header("content-type").to_owned(), asked.body.clone());
            state.manifests.insert((repository.to_owned(), name), stored);
        }
        return Reply::new(201, "").header("Docker-Content-Digest", &digest);
    }
    if !state.manifests.keys().any(|(known, _)| known == repository) {
        return Reply::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    }
    match state.manifests.get(&(repository.to_owned(), name.to_owned())) {
        Some((media_type, bytes)) => Reply::new(200, bytes.clone())
            .header("Content-Type", media_type)
            .header("Docker-Content-Digest", &Digest::of(bytes).to_string()),
        None => Reply::error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
    }
}

fn ranged(blob: &[u8], range: &str) -> Reply {
    let octets = |reply: Reply| reply.header("Content-Type", "application/octet-stream");
    let start = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    let Some(start) = start.filter(|start| *start < blob.len()) else { return octets(Reply::new(200, blob)) };
    let range = format!("bytes {start}-{}/{}", blob.len() - 1, blob.len());
    octets(Reply::new(206, &blob[start..])).header("Content-Range", &range)
}

fn behave_upload(state: &mut State, asked: &Asked, repository: &str, upload: &str, query: &str) -> Reply {
    let query = query.replace("%3A", ":").replace("%2F", "/");
    let param = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        found.map(str::to_owned)
    };
    match (asked.method.as_str(), param("mount"), param("digest")) {
        ("POST", mount, _) => {
            let from = mount.and_then(|digest| Some((param("from")?, digest)));
            if let Some((key, blob)) = from.and_then(|key| Some((key.clone(), state.blobs.get(&key)?.clone()))) {
                state.blobs.insert((repository.to_owned(), key.1), blob);
                return Reply::new(201, "");
            }
            state.n_uploads += 1;
            let location = format!("/v2/{repository}/blobs/uploads/{}?state=x", state.n_uploads);
            Reply::new(202, "").header("Location", &location)
        }
        ("PUT", _, Some(digest)) if !upload.is_empty() => {
            if Digest::of(&asked.body).to_string() != digest {
                return Reply::error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            }
            state.blobs.insert((repository.to_owned(), digest), asked.body.clone());
            Reply::new(201, "")
        }
        ("DELETE", ..) => Reply::new(204, ""),
        _ => Reply::new(404, ""),
    }
}
