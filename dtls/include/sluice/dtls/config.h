// What connections are allowed to negotiate, checked once and then shared.
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

// RFC 7627. Without it a man in the middle can give two connections the same master secret, so
// exported keys no longer tell them apart; a server that must know sets `require`.
enum class ExtendedMasterSecret : std::uint8_t { request, require, disable };

// RFC 6347 section 4.2.4.1.
struct RetransmissionTimers {
  // The first timeout of a flight until the path's RTT is known. With set_path_rtt() it becomes
  // twice the RTT, within kMinimumInitial and kMaximumInitial.
  Duration initial = std::chrono::seconds{1};
  // Each expiry multiplies the timeout by this; 1 keeps it constant.
  double back_off = 2.0;
  // No timeout is longer. RFC 6347 asks for 60 s or more on the open network; beneath ICE a call
  // that waits so long is already lost, and media paths recover in seconds.
  Duration maximum = std::chrono::seconds{4};
  // The handshake fails with Errc::handshake_timeout when it isn't complete by then.
  Duration total = std::chrono::seconds{90};

  static constexpr Duration kMinimumInitial = std::chrono::milliseconds{50};
  static constexpr Duration kMaximumInitial = std::chrono::seconds{3};
};

// What a side wants of its peer's certificate. Servers always show one, so what leaves a client's
// open means the same as its stricter neighbour to a client.
enum class PeerAuthentication : std::uint8_t {
  require,             // there must be one, and the caller accepts it, by its fingerprint or when
                       // PeerCertificateReceived asks: WebRTC
  none,                // a server doesn't ask for one
  request,             // a client may have none; else as `require`
  require_and_verify,  // there must be one whose chain ConfigOptions::trust_store verifies
  verify_if_given,     // a client may have none; else as `require_and_verify`
};

// Of the PSKs that a client has, more are not offered.
inline constexpr std::size_t kMaxOfferedPsks = 8;

// The smallest MTU that Sluice works with, in bytes without IP and UDP headers.
inline constexpr std::size_t kMinimumMtu = 256;

// RFC 8449 section 4, and DTLS 1.3's largest inner plaintext (RFC 8446 section 5.4).
inline constexpr std::size_t kMinimumRecordSizeLimit = 64;
inline constexpr std::size_t kMaximumRecordSizeLimit = 16385;

struct ConfigOptions {
  // What this side proves itself with: a server needs one where no PSK can take its place. Of those
  // that the peer's signature schemes (and in DTLS 1.2 the cipher suites) allow it takes the first
  // that is for the name the client asks for, then one that the peer's certificate_authorities have
  // issued, then one whose chain is signed as the peer wants it, then any.
  std::vector<Identity> identities = {};
  // Asks for the identity to use (IdentityRequested), each time one is needed.
  bool ask_for_identity = false;
  // External PSKs. In DTLS 1.3, where a Diffie-Hellman exchange always goes with them, a client
  // offers these, in this order and at most kMaxOfferedPsks; in DTLS 1.2 it uses the first, if the
  // server chooses a suite with PSKs. A server looks for the identities that clients name.
  std::vector<PreSharedKey> pre_shared_keys = {};
  // A server asks for identities that it doesn't know, a client of DTLS 1.2 that has no keys for
  // the one to use (PskRequested).
  bool ask_for_psk = false;
  // What a DTLS 1.2 server tells clients, for them to choose a key by (RFC 4279 section 5.2);
  // empty: nothing. Up to 128 bytes.
  Buffer psk_identity_hint = {};

  ProtocolVersion min_version = ProtocolVersion::dtls12;
  ProtocolVersion max_version = ProtocolVersion::dtls13;

  // Each list in order of preference; the server's order decides.
  std::vector<CipherSuite> cipher_suites = default_cipher_suites();
  // What stands behind numbers of private use in cipher_suites.
  std::vector<std::shared_ptr<const CipherSuite12>> custom_cipher_suites = {};
  // Empty: default_groups() of the connection's role. What libcrypto doesn't have is as if it were
  // not listed: X25519MLKEM768 needs OpenSSL 3.5.
  std::vector<NamedGroup> groups = {};
  // For the handshake.
  std::vector<SignatureScheme> signature_schemes = default_signature_schemes();
  // For the certificates of chains that are verified, where that differs
  // (signature_algorithms_cert, RFC 8446 section 4.2.3); empty: as signature_schemes.
  std::vector<SignatureScheme> certificate_signature_schemes = {};
  // Empty: use_srtp is neither offered nor accepted.
  std::vector<SrtpProfile> srtp_profiles = {
      SrtpProfile::aead_aes_256_gcm, SrtpProfile::aead_aes_128_gcm,
      SrtpProfile::aes128_cm_hmac_sha1_80, SrtpProfile::aes128_cm_hmac_sha1_32};
  // The master key identifier that a client offers for SRTP packets to carry (RFC 5764
  // section 4.1.3), up to 255 bytes; empty, as WebRTC wants it: none.
  Buffer srtp_mki = {};
  // A server agrees to a client's of up to so many bytes, and answers a longer one with none;
  // sluice::srtp takes srtp::kMaxMki.
  std::size_t max_srtp_mki = 0;

  // A client asks for the server of this name (RFC 6066 section 3): letters, digits, dots and
  // hyphens, up to 255, no address. Empty: it doesn't say.
  std::string server_name = {};
  // RFC 7301, each of 1 to 255 bytes. A server that finds none of the client's here ends the
  // handshake; one without any takes no notice. Empty: not offered.
  std::vector<std::string> application_protocols = {};

  PeerAuthentication peer_authentication = PeerAuthentication::require;
  // Required where chains are verified.
  std::optional<TrustStore> trust_store = {};
  // The name or address that a verified server must have a certificate for (RFC 9525); empty:
  // server_name. A client that verifies needs one of the two.
  std::string peer_name = {};
  // A server names the authorities of trust_store to clients (certificate_authorities). They must
  // be less than 16384 bytes; those of TrustStore::system() are not named.
  bool announce_authorities = false;
  // Asks about peers whose chain has been verified too (PeerCertificateReceived).
  bool ask_about_verified_peer = false;
  // Asks about every handshake that is complete but for that (ConnectionToVerify), also where a
  // session was resumed or a PSK used.
  bool ask_about_connection = false;
  ExtendedMasterSecret extended_master_secret = ExtendedMasterSecret::request;

  // RFC 8446 section 2.2; in DTLS 1.2 session IDs (RFC 5246 section 7.4.1) and tickets (RFC 5077).
  // Off by default: in WebRTC nobody uses it.
  Resumption resumption = Resumption::none;
  // With Resumption::tickets: a server without them issues no tickets and takes none.
  std::shared_ptr<TicketKeys> ticket_keys = {};
  // How long a server lets its sessions be resumed: up to 7 days, and with tickets up to
  // TicketKeys::rotation(). A client keeps those as long of which a DTLS 1.2 server doesn't say.
  Duration session_lifetime = std::chrono::hours{24};

  // The largest datagram of the handshake in bytes, without IP and UDP headers: kMinimumMtu to
  // 16384.
  std::size_t mtu = 1200;
  RetransmissionTimers timers = {};

  // RFC 8449: the largest protected record that this side takes, kMinimumRecordSizeLimit to
  // kMaximumRecordSizeLimit, where DTLS 1.3 counts a byte of type and the padding, too. Empty: a
  // client doesn't say, a server that is asked answers with what its version allows.
  std::optional<std::size_t> record_size_limit = {};
  // DTLS 1.3: what is protected is padded to a multiple of so many bytes, its byte of type among
  // them, for its length to tell less (RFC 8446 section 5.4); up to 16384, 0 or 1: not at all.
  // Padding ends where the peer's record_size_limit does, and a record that fits into the path's
  // MTU without it still does with it. See Connection::sealed_size().
  std::size_t record_padding = 0;
  // How far a record may lag behind the newest, in records (RFC 6347 section 4.1.2.6): a multiple
  // of 64 up to kMaximumReplayWindow. 0 switches replay detection off for application data, and for
  // that alone: whoever has recorded a datagram may then have its data delivered again, any number
  // of times. Only for protocols that bear this themselves.
  std::size_t replay_window = 128;
  static constexpr std::size_t kMaximumReplayWindow = 8192;

  // Sees hellos, and may alter those that are sent. Null: nobody does.
  std::shared_ptr<const HelloHook> hello_hook = {};

  // The longest handshake message taken, in bytes: 2048 to 2^24 - 1. Memory follows what has
  // arrived.
  std::size_t max_handshake_message = 65536;
  // Received handshake bytes that wait for what must come before them: 2048 or more.
  std::size_t max_reassembly = 131072;
  // Application data that arrives before the peer is accepted waits in as many bytes.
  std::size_t max_unaccepted_data = 16384;

  // DTLS 1.3 (RFC 9147 section 4.5.3). Keys are updated when half of so many records have left
  // under one key; at the limit seal() refuses. The cipher's own limit holds where it is lower; 2
  // or more.
  std::uint64_t max_records_per_key = UINT64_MAX;
  // The connection ends when more records than this have failed to authenticate under one key; the
  // cipher's own limit, 2^36, holds where it is lower. Anybody can forge records: keep it high.
  // Required for aes_128_ccm_8_sha256, whose tag is short.
  std::uint64_t max_forgeries_per_key = UINT64_MAX;

  static std::vector<CipherSuite> default_cipher_suites();
  // A server's begin with X25519MLKEM768; a client's don't have it, as its hello no longer fits
  // into one datagram. A client that is to offer it lists a server's.
  static std::vector<NamedGroup> default_groups(Role role);
  static std::vector<SignatureScheme> default_signature_schemes();
};

class Config;
using ConfigPtr = std::shared_ptr<const Config>;

// Immutable, so that any number of connections and threads share one.
class Config {
 public:
  // Errors: invalid_config; Error::detail starts with the name of the field.
  static Result<ConfigPtr> make(ConfigOptions options);

  [[nodiscard]] const ConfigOptions& options() const { return options_; }
  [[nodiscard]] const ConfigOptions* operator->() const { return &options_; }

 private:
  explicit Config(ConfigOptions options) : options_(std::move(options)) {}
  ConfigOptions options_;
};

}  // namespace sluice::dtls
