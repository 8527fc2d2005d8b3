//! Which unit is on a port, as far as its USB adapter tells: read from sysfs before the port is opened.

use std::path::Path;

use super::session::Trouble;
use crate::bench::Identity;
use crate::port::{KnownPort, UsbIdentity};

/// What the USB adapter of `device` says of itself, as names and values of properties; compared with what the bench says. Touches nothing.
///
/// # Errors
/// [`Trouble`] when another adapter than the one the bench means is there, or one that says too little to be told.
pub(super) fn on_usb(sysfs: &Path, device: &Path, wanted: &Identity) -> Result<Vec<(String, String)>, Trouble> {
    let usb = KnownPort::of(sysfs, device).and_then(|port| port.usb);
    let UsbIdentity { serial, place, .. } =
        usb.unwrap_or(UsbIdentity { vendor: 0, product: 0, serial: None, interface: None, place: None, name: None });
    for (what, key, wanted, found) in
        [("USB serial number", "usb-serial", &wanted.usb_serial, &serial), ("place on USB", "usb-path", &wanted.usb_path, &place)]
    {
        let Some(wanted) = wanted else { continue };
        let hint = format!("`{key}` under `identity` of the board names it; plug the right one in, or correct the bench file");
        match found {
            Some(found) if found == wanted => {}
            Some(found) => {
                return Err(Trouble {
                    reason: format!("another unit is on this port: {what} {found}, expected {wanted}"),
                    hint: Some(hint),
                });
            }
            None => {
                let reason = format!("nobody can tell which unit is on this port: {} has no {what}, expected {wanted}", device.display());
                return Err(Trouble { reason, hint: Some(hint) });
            }
        }
    }
    let known = [("usb-serial", serial), ("usb-path", place)];
    Ok(known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// The same in one line: `imei 359876543210987, usb-path 1-1.2`. `None` when nothing is known.
pub(super) fn in_words(identity: &[(String, String)]) -> Option<String> {
    let words: Vec<String> = identity.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if words.is_empty() { None } else { Some(words.join(", ")) }
}
