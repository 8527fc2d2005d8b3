//! `image new` and `image show`: the project's own made-up images.

use std::io::Write;
use std::path::Path;

use super::Failure;
use super::args::ImageNew;
use super::talk::Talk;
use crate::image::{Image, ImageError, KeyError, Versions, sha256_hex};
use crate::report::Exit;

pub(super) fn new(args: &ImageNew, talk: &Talk) -> Result<Exit, Failure> {
    let size = crate::plan::units::parse_size(&args.size)
        .or_else(|error| args.size.parse::<u64>().map_err(|_| error))
        .map_err(|error| Failure::usage(format!("--size {}: {error}", args.size)).hint("a size is written 16384, 512 B or 16 KiB"))?;
    let versions = Versions {
        a: args.version,
        m: args.modem.unwrap_or(args.version),
        s: args.secure.unwrap_or(args.version),
        g: args.gnss,
        w: args.wmbus,
    };
    let key = args.key.parse().map_err(|error: KeyError| Failure::usage(format!("--key {}: {error}", args.key)))?;
    let image = Image::make(versions, key, size).map_err(|error| Failure::usage(format!("--size {}: {error}", args.size)))?;
    let path = if args.out.is_dir() { args.out.join(image.file_name()) } else { args.out.clone() };
    let bytes = image.to_bytes();
    let written = std::fs::File::create_new(&path).and_then(|mut file| file.write_all(&bytes));
    written.map_err(|error| {
        let failure = Failure::usage(format!("{} cannot be made: {error}", path.display()));
        if error.kind() == std::io::ErrorKind::AlreadyExists { failure.hint("nothing is overwritten: remove it first") } else { failure }
    })?;
    talk.say(&format!("{} ({} bytes, made up: no real module takes it)", path.display(), bytes.len()));
    Ok(Exit::Passed)
}

pub(super) fn show(path: &Path, talk: &Talk) -> Result<Exit, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::usage(format!("{} cannot be read: {error}", path.display())))?;
    let mut out = format!("file:    {}\nsize:    {} bytes\nsha256:  {}\n", path.display(), bytes.len(), sha256_hex(&bytes));
    if let Some(Ok((versions, key))) = path.file_name().and_then(|name| name.to_str()).map(Versions::from_file_name) {
        out.push_str(&format!("by name: {}, key {key}\n", parts(&versions)));
    }
    let exit = match Image::parse(&bytes) {
        Ok(image) => {
            out.push_str(&format!(
                "inside:  {}, key {}, {} bytes of payload, CRC right (the project's made-up format)\n",
                parts(&image.versions),
                image.key,
                image.payload().len()
            ));
            Exit::Passed
        }
        Err(ImageError::Magic { .. }) => {
            out.push_str("inside:  not the project's made-up format: passed on unread\n");
            Exit::Passed
        }
        Err(error) => {
            out.push_str(&format!("inside:  the project's made-up format, but {error}\n"));
            Exit::Failed
        }
    };
    talk.data(&out)?;
    Ok(exit)
}

/// `A 2.8.0, M 2.8.0, S 2.8.0`
fn parts(versions: &Versions) -> String {
    versions.parts().map(|(letter, version)| format!("{letter} {version}")).collect::<Vec<_>>().join(", ")
}
