//! Which addresses of the network are public.
//!
//! By IANA's registries of special-purpose addresses
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>,
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>): all that is private,
//! local to a machine or a link, shared by a carrier, reserved, or for documentation is
//! not. `IpAddr::is_global` of the standard library would say the same and is not stable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// IPv4 that is not public.
const SPECIAL_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    // Carriers (RFC 6598), and metadata of one cloud.
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    // Link-local; metadata of most clouds, and of functions.
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    // Relays of 6to4, which are no more.
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    // Multicast, reserved, broadcast.
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
    // Public by its number, and answered by the host of each machine in Azure.
    Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// All of IPv6 that is given out to anyone.
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);

/// Of that, what is not public.
const SPECIAL_V6: &[Ipv6Net] = &[
    // Protocols, Teredo among them.
    v6(0x2001, 0, 23),
    v6(0x2001, 0xdb8, 32),
    // 6to4: any IPv4 behind relays that are no more.
    v6(0x2002, 0, 16),
    v6(0x3fff, 0, 20),
];

/// IPv4 behind a translator (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

/// Whether an address is one that anyone can be reached at.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !SPECIAL_V4.iter().any(|net| net.contains(&v4)),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public(IpAddr::V4(v4)),
            None => GLOBAL_V6.contains(&v6) && !SPECIAL_V6.iter().any(|net| net.contains(&v6)),
        },
    }
}

/// Whether an address is of this machine itself.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => {
            v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
        }
    }
}

/// The IPv4 that is reached by an IPv6.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    if NAT64.contains(&v6) {
        let [.., a, b, c, d] = v6.octets();
        return Some(Ipv4Addr::new(a, b, c, d));
    }
    v6.to_ipv4_mapped()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_by_their_kind() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.1",
            "192.167.255.255",
            "192.169.0.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450:4001::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.100.1",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // Unspecified, loopback, and IPv4 as it was once written in IPv6.
            "::",
            "::1",
            "::127.0.0.1",
            "::8.8.8.8",
            // IPv4 in IPv6: mapped, translated, by 6to4 and Teredo.
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:808:808::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            // Unique local, a metadata address among them; link-local, site-local.
            "fc00::1",
            "fd00:ec2::254",
            "fdff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            // Documentation, benchmarks, discard, segment routing.
            "2001:db8::1",
            "2001:2::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn loopback_is_this_machine_and_nothing_else() {
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_loopback(own.parse().unwrap()), "{own}");
        }
        for other in [
            "0.0.0.0",
            "::",
            "10.0.0.1",
            "192.168.0.1",
            "::ffff:10.0.0.1",
            "1.1.1.1",
        ] {
            assert!(!is_loopback(other.parse().unwrap()), "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_mapped_is_as_it_is(bits: u32) {
            let v4 = Ipv4Addr::from_bits(bits);
            let mapped = IpAddr::V6(v4.to_ipv6_mapped());
            proptest::prop_assert_eq!(is_public(mapped), is_public(IpAddr::V4(v4)));
        }
    }
}
