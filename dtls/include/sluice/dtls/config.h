// What connections may negotiate: checked once, then shared by any number of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/dtls/cipher_suite12.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/error.h>
#include <sluice/dtls/hello_hook.h>
#include <sluice/dtls/identity.h>
#include <sluice/dtls/pre_shared_key.h>
#include <sluice/dtls/protocol.h>
#include <sluice/dtls/resumption.h>
#include <sluice/dtls/trust_store.h>

namespace sluice::dtls {

// RFC 7627. Without it a man in the middle can make two connections share a master secret, so that
// exported keys do not distinguish them; set `require` on a server where that matters.
enum class ExtendedMasterSecret : std::uint8_t { request, require, disable };

// RFC 6347 section 4.2.4.1.
struct RetransmissionTimers {
  // The first timeout of a flight while the path's RTT is unknown, above 0. With set_path_rtt() it
  // is twice the RTT, from kMinimumInitial to kMaximumInitial.
  Duration initial = std::chrono::seconds{1};
  // Each expiry multiplies the timeout by this factor, 1.0 or more.
  double back_off = 2.0;
  // The longest timeout, `initial` to 24 h. RFC 6347 recommends at least 60 s on the open network;
  // under ICE a call that waits that long is lost anyway, and media paths recover within seconds.
  Duration maximum = std::chrono::seconds{4};
  // The handshake fails with Errc::handshake_timeout after this time, counted from the first
  // message, whether it waits for the peer or for the caller: for an answer, or for fingerprints
  // (Connection::waiting_for()). Above 0, up to 24 h. A message after a DTLS 1.3 handshake is
  // retransmitted for this time: 27 times at most with these defaults. Then authenticated records
  // of the peer start its retransmission again, up to three times; for a KeyUpdate update_keys()
  // and seal() do so without a limit.
  Duration total = std::chrono::seconds{90};

  static constexpr Duration kMinimumInitial = std::chrono::milliseconds{50};
  static constexpr Duration kMaximumInitial = std::chrono::seconds{3};
};

// Must the peer have a certificate, and who checks it? A server always sends a certificate, so a
// client takes `none` and `request` as `require`, and `verify_if_given` as `require_and_verify`.
//
// A pre-shared key takes the place of the certificate in every mode: a peer that a PSK
// authenticates sends none.
enum class PeerAuthentication : std::uint8_t {
  // The peer must have one, and the caller checks it: by set_peer_fingerprints(), or by the answer
  // to PeerCertificateReceived. For WebRTC.
  require,
  // A server asks for none: its clients are anonymous.
  none,
  // A server asks for one. A client that sends none is accepted as anonymous; else as `require`.
  request,
  // The peer must have one, and ConfigOptions::trust_store must verify its chain.
  require_and_verify,
  // A server asks for one. A client that sends none is accepted as anonymous; else as
  // `require_and_verify`.
  verify_if_given,
};

// How a connection checks that the peer can be reached at the new address from which its records
// come (RFC 9853 section 5). Records from a new address change nothing before the check succeeds.
enum class ReturnRoutability : std::uint8_t {
  // No check, and none for the peer. For applications that validate addresses themselves, as ICE
  // does.
  none,
  // Asks at the new address only. A peer behind a NAT that has changed its address is followed
  // within a round trip. Whoever copies records on their way, and is faster than the peer, can draw
  // the connection to its own address.
  basic,
  // Asks at the old address first, and at the new one if there is no answer, or if the peer says
  // that it has moved. A copied record moves nothing while the peer still answers at its old
  // address. It costs three round trips more, or one second, where the old address is dead.
  enhanced,
};

// The largest number of PSKs that a client offers.
inline constexpr std::size_t kMaxOfferedPsks = 8;

// The longest ConfigOptions::policy_id, in bytes.
inline constexpr std::size_t kMaxPolicyId = 255;

// The smallest MTU, in bytes without IP and UDP headers.
inline constexpr std::size_t kMinimumMtu = 256;

// RFC 8449 section 4, and DTLS 1.3's largest inner plaintext (RFC 8446 section 5.4).
inline constexpr std::size_t kMinimumRecordSizeLimit = 64;
inline constexpr std::size_t kMaximumRecordSizeLimit = 16385;

// Config::make() and, where the role decides, Connection::client(), Connection::server() and
// Listener::make() refuse a setting that could have no effect. docs/dtls.md has a table of the
// defaults and of sane values.
struct ConfigOptions {
  // The certificates of this side. A server needs one unless PSKs replace it. Of those that the
  // peer's signature schemes (in DTLS 1.2 also the cipher suites) allow, it uses the first match in
  // this order: for the name that the client asks for, issued by an authority that the peer names,
  // with a chain signed as the peer accepts, any.
  std::vector<Identity> identities = {};
  // What this side sends of its identities: certificates, or only their raw public keys (RFC 7250).
  // A server uses the first type that the client accepts and that one of its identities has; a
  // client offers the list. An identity must have each type, unless ask_for_identity is set, and
  // each identity must have one of the types: an identity without a certificate has raw_public_key
  // only, others have both.
  std::vector<CertificateType> own_certificate_types = {CertificateType::x509};
  // Asks for the identity (IdentityRequested) whenever one is needed.
  bool ask_for_identity = false;
  // A server asks which Config answers a ClientHello (ConfigRequested), or whether none does. A
  // Listener answers first ClientHellos by this Config: give it the versions, suites and groups of
  // all. For servers only.
  bool ask_for_config = false;
  // External PSKs. In DTLS 1.3 a client offers them in this order, and may have at most
  // kMaxOfferedPsks; in DTLS 1.2 it uses the first if the server chooses a PSK suite. A server
  // looks up the identities that clients send. For each key a suite must be there: of DTLS 1.3 with
  // the key's hash, or of DTLS 1.2 with PSKs.
  std::vector<PreSharedKey> pre_shared_keys = {};
  // How DTLS 1.3 uses PSKs and sessions, in order of preference. psk_ke has no Diffie-Hellman
  // exchange: whoever learns the PSK later can read all traffic that was recorded. It is for
  // devices that cannot afford the exchange. A client without psk_dhe_ke sends no key_share, so
  // only a PSK can connect it: it needs pre_shared_keys, and DTLS 1.3 alone.
  std::vector<PskKeyExchangeMode> psk_key_exchange_modes = {PskKeyExchangeMode::psk_dhe_ke};
  // Asks with PskRequested: a server for identities that are not in pre_shared_keys, a DTLS 1.2
  // client that has no pre_shared_keys. Whether such a PSK has been replaced or withdrawn is not
  // known here, so its sessions are resumed with ask_about_connection only; others get no session.
  bool ask_for_psk = false;
  // The hint that a DTLS 1.2 server sends, for clients to choose a key (RFC 4279 section 5.2); up
  // to 128 bytes; empty: none.
  Buffer psk_identity_hint = {};

  ProtocolVersion min_version = ProtocolVersion::dtls12;
  ProtocolVersion max_version = ProtocolVersion::dtls13;

  // Lists are in order of preference; the server's order decides.
  std::vector<CipherSuite> cipher_suites = default_cipher_suites();
  // The suites with numbers of private use in cipher_suites. DTLS 1.2 only.
  std::vector<std::shared_ptr<const CipherSuite12>> custom_cipher_suites = {};
  // Empty: default_groups() of the connection's role. Groups that libcrypto does not have are
  // ignored: X25519MLKEM768 needs OpenSSL 3.5.
  std::vector<NamedGroup> groups = {};
  // For handshake signatures.
  std::vector<SignatureScheme> signature_schemes = default_signature_schemes();
  // For the certificates of verified chains, if different (signature_algorithms_cert, RFC 8446
  // section 4.2.3); empty: as signature_schemes.
  std::vector<SignatureScheme> certificate_signature_schemes = {};
  // Empty: use_srtp is neither offered nor accepted.
  std::vector<SrtpProfile> srtp_profiles = {
      SrtpProfile::aead_aes_256_gcm, SrtpProfile::aead_aes_128_gcm,
      SrtpProfile::aes128_cm_hmac_sha1_80, SrtpProfile::aes128_cm_hmac_sha1_32};
  // The master key identifier (MKI) that a client offers for SRTP packets (RFC 5764 section 4.1.3),
  // up to 255 bytes; empty, as WebRTC requires: none.
  Buffer srtp_mki = {};
  // The longest MKI that a server accepts, up to 255 bytes; it ignores a longer one. sluice::srtp
  // supports srtp::kMaxMki.
  std::size_t max_srtp_mki = 0;

  // The server name that a client asks for (SNI, RFC 6066 section 3): letters, digits, dots,
  // hyphens and underscores, up to 255 bytes, no IP address. Empty: none.
  std::string server_name = {};
  // ALPN (RFC 7301), each of 1 to 255 bytes. A server without a protocol in common ends the
  // handshake; a server with an empty list ignores ALPN. Empty: not offered.
  std::vector<std::string> application_protocols = {};

  PeerAuthentication peer_authentication = PeerAuthentication::require;
  // The types of certificate that the peer may send, in order of preference. A raw public key (RFC
  // 7250) is accepted by set_peer_fingerprints() or by the answer to PeerCertificateReceived in all
  // modes of PeerAuthentication: no trust_store verifies it. With a trust_store it may therefore
  // only stand beside x509, and ask_about_verified_peer must be set.
  std::vector<CertificateType> peer_certificate_types = {CertificateType::x509};
  // Required if chains are verified; otherwise only announce_authorities uses it.
  std::optional<TrustStore> trust_store = {};
  // The name or IP address that a verified server's certificate must be for (RFC 9525), up to 255
  // bytes; empty: server_name. A verifying client needs one of the two. Only if chains are
  // verified.
  std::string peer_name = {};
  // A server sends the names of trust_store's authorities (certificate_authorities), up to 16384
  // bytes. TrustStore::system() has no list of them and is refused.
  bool announce_authorities = false;
  // Sends PeerCertificateReceived for verified peers, too.
  bool ask_about_verified_peer = false;
  // Sends ConnectionToVerify before Connected, also for resumed sessions and
  // PSKs.
  bool ask_about_connection = false;
  ExtendedMasterSecret extended_master_secret = ExtendedMasterSecret::request;

  // RFC 8446 section 2.2; in DTLS 1.2 session IDs (RFC 5246 section 7.4.1) and tickets (RFC 5077).
  // Off by default: WebRTC does not use it.
  Resumption resumption = Resumption::none;
  // For Resumption::tickets, where a server needs them.
  std::shared_ptr<TicketKeys> ticket_keys = {};
  // How long a server allows resumption of one session: above 0, up to 7 days (RFC 8446 section
  // 4.6.1) and up to max_session_age, with tickets up to TicketKeys::rotation(). A client uses it
  // if a DTLS 1.2 server names no lifetime.
  Duration session_lifetime = std::chrono::hours{24};
  // How long after the peer has proved its identity, by certificate or external PSK, either side
  // still resumes: a session, and the sessions that follow from it (RFC 8446 section 4.6.1). From
  // session_lifetime to 365 days. A session whose chain was verified ends before that with the
  // first certificate of the chain that expires.
  Duration max_session_age = std::chrono::hours{7 * 24};
  // Names the rules by which this Config accepts a peer. A session is resumed only under the policy
  // under which it began, in either role, whoever shares its TicketKeys or its store. Up to
  // kMaxPolicyId bytes. Empty: the policy is derived from all that this Config verifies with:
  // PeerAuthentication, the certificates and time of trust_store, peer_name and server_name, the
  // lists of signature schemes and types of certificate, and whether it takes PSKs. Equal Configs
  // of several processes then have the same policy; TrustStore::system() counts as one store,
  // whatever it contains. Set it to share sessions between Configs that differ in this, or to keep
  // apart equal ones.
  Buffer policy_id = {};

  // The largest handshake datagram in bytes, without IP and UDP headers: kMinimumMtu to 16384.
  // Where the peer asks for a connection ID, its size is added to kMinimumMtu.
  std::size_t mtu = 1200;
  RetransmissionTimers timers = {};

  // The largest protected record that this side accepts, in bytes (RFC 8449): from
  // kMinimumRecordSizeLimit to kMaximumRecordSizeLimit; in DTLS 1.3 type and padding count. Empty:
  // a client sends no limit, a server answers with its version's maximum.
  std::optional<std::size_t> record_size_limit = {};
  // The largest contents of a record, in both directions, that a client asks for
  // (max_fragment_length, RFC 6066 section 4): 512, 1024, 2048 or 4096 bytes. For servers without
  // record_size_limit, which replaces it (RFC 8449 section 5); a client may offer both. Servers
  // accept any of these lengths, so this is for clients only. Empty: none.
  std::optional<std::size_t> max_fragment_length = {};
  // In DTLS 1.3, and in DTLS 1.2 where records have a connection ID: pads them, their type byte
  // included, to a multiple of this many bytes, to hide their length (RFC 8446 section 5.4, RFC
  // 9146 section 4). Up to 16384; 0 or 1: no padding. Padding does not exceed the peer's
  // record_size_limit, nor the path's MTU if the record fits into it unpadded. See
  // Connection::sealed_size().
  std::size_t record_padding = 0;
  // How far a record may lag behind the newest, in records (RFC 6347 section 4.1.2.6): a multiple
  // of 64, up to kMaximumReplayWindow. 0 turns replay detection off for application data only:
  // anyone who recorded a datagram can then have its data delivered again, any number of times. Use
  // 0 only with protocols that tolerate it.
  std::size_t replay_window = 128;
  static constexpr std::size_t kMaximumReplayWindow = 8192;

  // Connection IDs (RFC 9146, RFC 9147 section 9), by which an encrypted record finds its
  // connection after the peer's address has changed. The size, in bytes, of those that the peer is
  // asked to put into its records, up to kMaxConnectionId; 0: it is asked for none, but gets what
  // it asks for. Empty: the extension is neither offered nor accepted. Observers can recognise a
  // connection by its ID (RFC 9146 section 8).
  std::optional<std::size_t> connection_id_size = {};
  // The return routability check (RFC 9853), offered and accepted with connection IDs only: both
  // sides must have it, and either may use another kind. Connection::handle_datagram() then tells a
  // new address by its PathId, and PathChanged that the connection has moved. Empty: `enhanced`
  // where connection_id_size is set, else none. Any but `none` needs connection_id_size.
  std::optional<ReturnRoutability> return_routability = {};

  // Receives the peer's hellos, may change our own. Null: none.
  std::shared_ptr<const HelloHook> hello_hook = {};

  // The longest handshake message accepted, in bytes: 2048 to 2^24 - 1. Memory grows with the bytes
  // received, not with the length claimed.
  std::size_t max_handshake_message = 65536;
  // Handshake bytes held for reassembly: max_handshake_message or more, and 588 bytes more than
  // that at least. What arrives out of order is kept only as far as the messages before it still
  // fit; the rest is dropped and must be retransmitted.
  std::size_t max_reassembly = 131072;
  // Bytes of application data held until Connected, in at most 256 records: before the peer is
  // accepted, and then until poll_transmit() has returned this side's last flight.
  std::size_t max_unaccepted_data = 16384;

  // DTLS 1.3 only (RFC 9147 section 4.5.3): records per key. A key update begins after half of
  // them; at the limit seal() refuses. The cipher's own limit applies if it is lower. 2 or
  // more.
  std::uint64_t max_records_per_key = UINT64_MAX;
  // The connection ends (integrity_limit_reached) when more records than this fail to authenticate
  // under one key. In DTLS 1.3 the cipher's own limit (2^36, for AES-CCM 2^23.5) applies if it is
  // lower (RFC 9147 section 4.5.3). Anyone can send forged records and so end the connection: keep
  // the limit high. Must be set where cipher_suites has aes_128_ccm_8_sha256: its tag of 8 bytes
  // lets a forgery succeed with probability 2^-64, so 2^23.5 (11,863,283) forgeries together with
  // 2^-40. That is a sane value.
  std::uint64_t max_forgeries_per_key = UINT64_MAX;

  static std::vector<CipherSuite> default_cipher_suites();
  // For servers, X25519MLKEM768 comes first; a client's list lacks it, because its ClientHello
  // would need two datagrams. To offer it, give a client the server's list.
  static std::vector<NamedGroup> default_groups(Role role);
  static std::vector<SignatureScheme> default_signature_schemes();
};

class Config;
using ConfigPtr = std::shared_ptr<const Config>;

// Immutable; shared by any number of connections and threads.
class Config {
 public:
  // Errors: invalid_config; Error::detail begins with the field's name.
  static Result<ConfigPtr> make(ConfigOptions options);

  [[nodiscard]] const ConfigOptions& options() const { return options_; }
  [[nodiscard]] const ConfigOptions* operator->() const { return &options_; }

 private:
  explicit Config(ConfigOptions options) : options_(std::move(options)) {}
  ConfigOptions options_;
};

}  // namespace sluice::dtls
