// The command line by which the runner says what a test wants of the shim.
#pragma once

#include <sluice/dtls/clock.h>
#include <sluice/dtls/protocol.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sluice::bogo {

// The runner counts a test that ends with this status as unimplemented.
inline constexpr int kUnimplemented = 89;

// What the runner expects of a timer that backs off.
inline constexpr dtls::Duration kLongestTimeout = std::chrono::seconds{60};

// The runner lets a flight wait for minutes, one after another; Sluice's limit is on all of them.
inline constexpr dtls::Duration kHandshakeTime = std::chrono::hours{24};

// Files of PEM.
struct Credential {
  std::string certificate_file = {};  // empty: a client has none, a server's is made
  std::string key_file = {};
};

struct Flags {
  // ---- where the runner is
  bool asks_for_handshaker = false;  // print "No", nothing else
  std::uint16_t port = 0;
  std::uint64_t shim_id = 0;
  bool ipv6 = false;
  unsigned resume_count = 0;             // connections that resume the one before them
  dtls::Duration resumption_delay = {};  // time between them

  // ---- what is negotiated
  bool over_datagrams = false;
  dtls::Role role = dtls::Role::client;
  // The first is the default one, which comes after all others.
  std::vector<Credential> credentials = {Credential{}};
  std::string psk = {};  // the key as it is; empty: none
  std::string psk_identity = {};
  std::string server_name = {};                               // a client's
  std::vector<std::string> application_protocols = {};        // in order of preference
  std::vector<dtls::SignatureScheme> signature_schemes = {};  // empty: the engine's own
  bool allows_dtls12 = true;
  bool allows_dtls13 = true;
  std::vector<dtls::NamedGroup> groups = {};  // empty: the engine's own
  std::vector<dtls::SrtpProfile> srtp_profiles = {};
  std::size_t mtu = 1200;
  std::size_t max_handshake_message = 65536;
  dtls::Duration initial_timeout = std::chrono::milliseconds{400};
  bool issues_tickets = true;
  bool acknowledges_server_name = true;  // a server's answer to a name that is expected

  // ---- what is to have been negotiated
  bool is_resumption = false;  // not the first connection
  bool expects_session_miss = false;
  bool expects_ticket = true;
  bool expects_renewal = false;                 // of the ticket of a session that is resumed
  std::optional<bool> expects_session_id = {};  // of a server's sessions
  std::optional<bool> expects_retry = {};
  std::optional<dtls::NamedGroup> expected_group = {};
  bool expects_extended_master_secret = false;
  std::optional<std::string> expected_server_name = {};
  std::optional<std::string> expected_protocol = {};
  std::string expected_certificate_file = {};  // PEM, of the peer's own; empty: any

  // ---- how the peer is judged
  bool verifies_peer = false;  // a client that doesn't accepts anyone, a server asks for nobody
  bool requires_client_certificate = false;
  bool rejects_peer = false;
  dtls::Alert rejection = dtls::Alert::handshake_failure;
  bool judges_again = false;  // the peer of a session that is resumed

  // ---- what follows the handshake
  std::size_t export_size = 0;  // bytes of keying material to be sent; 0: none
  std::string export_label = {};
  std::string export_context = {};
  bool has_export_context = false;
  bool writes_first = false;
  bool updates_keys_before_read = false;
  bool updates_keys_after_read = false;
  bool shuts_down = false;
};

enum class Connection : std::uint8_t { initial, resumption };

// What the arguments say of this connection. The error is the argument that
// asks for what the shim doesn't do.
tl::expected<Flags, std::string> parse(std::span<const std::string_view> arguments,
                                       Connection connection = Connection::initial);

}  // namespace sluice::bogo
