// A peer that speaks real DTLS 1.2, with real keys and signatures, and whose script says where it
// departs from the RFCs.
#pragma once

#include <sluice/dtls/identity.h>

#include <functional>
#include <set>

#include "crypto/key_exchange.h"
#include "crypto/public_key.h"
#include "flight/reassembler.h"
#include "message/alert.h"
#include "schedule/keys12.h"
#include "support/hello_fields.h"
#include "support/scripted_records.h"

namespace sluice::test {

// The records of one flight, one a message: an edit may drop, repeat, move and add.
using Flight = std::vector<OutgoingRecord>;

// Where the flight has a handshake message of this type; throws when it has none.
Flight::iterator find(Flight& flight, dtls::wire::HandshakeType type);
Flight::iterator find(Flight& flight, dtls::wire::ContentType type);
OutgoingRecord change_cipher_spec(dtls::Buffer contents = {std::byte{1}});

// A piece of a whole handshake message, with the header that it has as a fragment.
dtls::Buffer fragment_of(dtls::Bytes message, std::size_t offset, std::size_t length);

struct Script {
  Script();

  dtls::Identity identity;
  std::optional<std::vector<dtls::Buffer>> chain = {};  // instead of the identity's
  ClientHelloFields client_hello;
  ServerHelloFields server_hello;
  // The server's choices. Its signature fits its identity, whatever it says.
  dtls::NamedGroup group = dtls::NamedGroup::x25519;
  dtls::SignatureScheme scheme = dtls::SignatureScheme::ecdsa_secp256r1_sha256;
  bool requests_certificate = true;
  bool takes_raw_public_key = false;  // of the engine (RFC 7250)
  // The body of a server's NewSessionTicket (RFC 5077 section 3.3).
  std::optional<dtls::Buffer> new_session_ticket = {};
  unsigned verify_requests = 0;  // as many hellos are answered with HelloVerifyRequest

  // Messages that are left out as if the handshake didn't have them.
  std::set<dtls::wire::HandshakeType> omitted = {};
  // Changes ServerECDHParams before they are signed.
  std::function<void(dtls::Buffer& params)> alter_params = {};
  // Changes a message's body before it goes into the transcript.
  std::function<void(dtls::wire::HandshakeType type, dtls::Buffer& body)> alter = {};
  // Changes what leaves; the transcript stays as it is.
  std::function<void(Flight& flight)> edit = {};
  // Whether flights are answered at all. If not, the test sends what it makes with message().
  bool replies = true;
};

// An `alter` for one type of message.
std::function<void(dtls::wire::HandshakeType, dtls::Buffer&)> altering(
    dtls::wire::HandshakeType wanted, std::function<void(dtls::Buffer&)> change);

class ScriptedPeer {
 public:
  ScriptedPeer(dtls::Role role, Script script);

  // A client's first flight.
  void start();
  // Takes a datagram of the engine's and, by the script, prepares an answer. What is no valid
  // message, signature or Finished throws.
  void receive(dtls::Bytes datagram);
  // What is to be sent, a record each.
  std::vector<dtls::Buffer> take_datagrams();
  // The last flight once more, in new records.
  void repeat_flight();

  // ---- by hand

  // The next handshake message, by the script and what is known by now; in the transcript.
  OutgoingRecord message(dtls::wire::HandshakeType type);
  OutgoingRecord message(dtls::wire::HandshakeType type, dtls::Buffer body);
  // A handshake message with a header of the test's own, outside the transcript.
  static OutgoingRecord loose_message(dtls::wire::HandshakeType type, dtls::Bytes body,
                                      std::uint16_t message_seq,
                                      dtls::wire::Epoch epoch = dtls::wire::kPlaintextEpoch);
  dtls::Buffer seal(const OutgoingRecord& record) { return records_.seal(record); }
  // In the epoch in which this side writes.
  dtls::Buffer alert(dtls::message::AlertLevel level, dtls::Alert description);
  dtls::Buffer data(dtls::Bytes bytes);
  void set_next_seq(std::uint16_t message_seq) { next_seq_ = dtls::wire::MessageSeq{message_seq}; }
  [[nodiscard]] std::uint16_t next_seq() const { return dtls::wire::value_of(next_seq_); }
  [[nodiscard]] bool has_keys() const { return records_.has_keys(); }

  // ---- what came and what is known

  [[nodiscard]] dtls::Buffer exported(std::string_view label, std::size_t size) const;
  [[nodiscard]] dtls::Bytes transcript() const { return transcript_; }
  [[nodiscard]] const dtls::schedule::HelloRandoms& randoms() const { return randoms_; }

  Script script;
  std::vector<IncomingRecord> records;
  std::vector<dtls::Buffer> messages;  // whole, with their headers
  std::vector<dtls::message::AlertMessage> alerts;
  std::vector<dtls::Buffer> received_data;
  bool complete = false;  // the engine's Finished has come and was right

 private:
  using HandshakeType = dtls::wire::HandshakeType;

  dtls::Buffer body_of(HandshakeType type);
  dtls::Buffer server_key_exchange_body();
  dtls::Buffer client_key_exchange_body();
  dtls::Buffer certificate_verify_body();
  dtls::schedule::VerifyData verify_data(dtls::Role sender) const;
  void derive_keys();

  void on_handshake(const IncomingRecord& record);
  void on_message(const dtls::flight::IncomingMessage& message);
  void take_facts(HandshakeType type, dtls::Bytes body);
  void take_server_hello(dtls::Bytes body);
  void take_server_key_exchange(dtls::Bytes body);
  void reply_to(HandshakeType type);
  void send_messages(std::initializer_list<HandshakeType> types);
  void add(Flight& flight, HandshakeType type);
  void send(Flight flight);

  dtls::Role role_;
  ScriptedRecords records_;
  dtls::flight::Reassembler reassembler_{{65536, 65536}};
  dtls::Buffer transcript_;
  dtls::wire::MessageSeq next_seq_{0};
  dtls::wire::Epoch write_epoch_ = dtls::wire::kPlaintextEpoch;
  Flight last_flight_;
  std::vector<dtls::Buffer> outbox_;

  // What the hellos and the key exchange have said.
  dtls::schedule::HelloRandoms randoms_{};
  const dtls::schedule::CipherSuite12Parameters* suite_;
  bool extended_master_secret_ = false;
  bool certificate_requested_ = false;
  std::optional<dtls::crypto::PublicKey> peer_key_;
  std::optional<dtls::crypto::EphemeralKey> own_share_;
  dtls::NamedGroup peer_group_ = dtls::NamedGroup::x25519;
  dtls::Buffer peer_share_;
  std::optional<dtls::crypto::SharedSecret> premaster_;
  std::optional<dtls::schedule::MasterSecret> master_;
};

}  // namespace sluice::test
