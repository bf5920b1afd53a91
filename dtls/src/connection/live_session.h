// An open connection in the form in which it moves: what export_session() writes and restore()
// reads. docs/live-sessions.md describes the bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include <sluice/dtls/live_session.h>

#include "connection/accepted_peer.h"
#include "message/handshake_fragment.h"
#include "negotiation/agreed_extensions.h"
#include "negotiation/peer_identity.h"
#include "record/epoch_numbers.h"
#include "schedule/keys12.h"
#include "schedule/keys13.h"

namespace sluice::dtls::connection {

// RFC 9146 and RFC 9147 section 9: as record::ConnectionIds lists them.
struct LiveConnectionIds {
  std::vector<Buffer> own = {};    // in records that this side receives
  std::uint8_t in_use = 0;         // which of them
  std::vector<Buffer> peers = {};  // in records that it sends

  friend bool operator==(const LiveConnectionIds&, const LiveConnectionIds&) = default;
};

// Handshake messages are whole and have their header (RFC 6347 section 4.2.2).

struct LiveSession12 {
  // What answers a peer that lacks the last flight of the handshake.
  struct LastFlight {
    std::uint64_t next_plaintext = 0;   // the sequence number of the next record of epoch 0
    std::vector<Buffer> messages = {};  // Finished, and before it perhaps NewSessionTicket
  };

  bool extended_master_secret = false;
  bool resumed = false;
  schedule::HelloRandoms randoms{};
  schedule::MasterSecret master = {};
  wire::MessageSeq peers_next{};
  std::optional<LastFlight> last_flight = {};
};

struct LiveSession13 {
  // The keys of the previous epoch, with which the peer may repeat what was not acknowledged.
  struct OldKeys {
    schedule::HashSecret secret = {};
    record::ReadNumbers numbers = {};
  };
  struct Fragment {
    wire::Epoch epoch{};
    Buffer bytes = {};  // with the header of a fragment
  };
  struct MessagesUnderWay {
    bool key_update = false;        // a KeyUpdate of this side has not changed the keys yet
    bool is_acknowledged = false;   // and only waits for the messages before it
    std::vector<Buffer> sent = {};  // not acknowledged, in order
    std::vector<Fragment> received = {};
    // RequestConnectionId and NewConnectionId that wait for others: how many IDs they are to ask
    // for and to have, and whether a new one is to be used at once.
    std::uint8_t ids_to_request = 0;
    std::optional<std::uint8_t> spares_to_send = {};
    bool is_renewal_due = false;
  };
  // What a client makes sessions of (handshake::Resumption13).
  struct Resumption {
    schedule::HashSecret secret = {};
    Buffer certificate = {};  // of a peer with a certificate
  };
  // One above the largest message_seq: no message can follow.
  static constexpr std::uint32_t kUsedUp = 0x10000;

  std::optional<schedule::PskKind> psk = {};
  schedule::HashSecret client_secret = {};  // application_traffic_secret
  schedule::HashSecret server_secret = {};
  schedule::HashSecret exporter = {};
  wire::MessageSeq next{};
  std::uint32_t peers_next = 0;
  bool awaits_ids = false;  // the peer has not answered our RequestConnectionId
  std::optional<OldKeys> old_keys = {};
  std::optional<MessagesUnderWay> under_way = {};
  std::optional<Resumption> resumption = {};
};

struct LiveSession {
  Role role{};
  CipherSuite cipher_suite{};
  Buffer tag = {};
  std::optional<LiveConnectionIds> connection_ids = {};
  std::optional<NamedGroup> group = {};
  handshake::AgreedExtensions extensions = {};
  handshake::PolicyId policy = {};
  AcceptedPeer::Facts peer = {};
  record::ReadNumbers read = {};
  record::WriteNumbers write = {};
  // The record number, epoch before sequence number, from which on nothing may be sent.
  std::optional<std::uint64_t> send_limit = {};
  std::variant<LiveSession12, LiveSession13> of_version = {};

  [[nodiscard]] bool speaks13() const { return std::holds_alternative<LiveSession13>(of_version); }
  [[nodiscard]] ProtocolVersion version() const {
    return speaks13() ? ProtocolVersion::dtls13 : ProtocolVersion::dtls12;
  }

  // Whether each field has a value that all code can use.
  [[nodiscard]] bool is_sound() const;
  // In one block, because it contains secrets. Empty when is_sound() is false.
  [[nodiscard]] Buffer encode() const;
  // is_sound() holds for the result. Errors: decode_error.
  static Result<LiveSession> decode(Bytes bytes);
};

// The message that these bytes are, with nothing before or after it.
std::optional<message::HandshakeFragment> whole_message(Bytes bytes);
// The same for one fragment.
std::optional<message::HandshakeFragment> single_fragment(Bytes bytes);

}  // namespace sluice::dtls::connection
