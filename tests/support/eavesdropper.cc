#include "support/eavesdropper.h"

#include <sstream>

#include "message/client_hello.h"
#include "message/handshake_fragment.h"
#include "message/server_hello.h"
#include "schedule/keys13.h"
#include "support/bytes.h"

namespace sluice::test {

using dtls::Bytes;
using dtls::Role;
namespace record = dtls::record;
namespace schedule = dtls::schedule;
namespace wire = dtls::wire;

Eavesdropper::Eavesdropper(const std::vector<std::string>& key_log) {
  for (const std::string& line : key_log) {
    std::istringstream words(line);
    std::string label;
    std::string client_random;
    std::string secret;
    words >> label >> client_random >> secret;
    secrets_[label.append(" ").append(client_random)] = from_hex(secret);
  }
}

dtls::Buffer Eavesdropper::secret(const std::string& label) const {
  return secrets_.at(label + ' ' + to_hex(client_random_));
}

void Eavesdropper::hear(Role sender, Bytes datagram) {
  dtls::Buffer bytes = copy_of(datagram);
  dtls::MutableBytes rest(bytes);
  while (!rest.empty()) {
    const auto taken = sides_[sender].take(rest);
    if (const auto* opened = std::get_if<record::Record>(&taken)) {
      on_record(sender, *opened);
    } else {
      ++unreadable;
    }
  }
}

void Eavesdropper::on_record(Role sender, const record::Record& record) {
  records.push_back({sender, record.type, record.epoch, record.sequence, copy_of(record.contents)});
  if (record.type != wire::ContentType::handshake || record.epoch != wire::kPlaintextEpoch) return;
  wire::Reader reader(record.contents);
  const auto fragment = dtls::message::HandshakeFragment::take(reader);
  if (!fragment) throw std::runtime_error("handshake fragment");
  if (fragment->header.type == wire::HandshakeType::client_hello) {
    client_random_ = dtls::message::ClientHello::decode(fragment->body)->random;
  } else if (fragment->header.type == wire::HandshakeType::server_hello) {
    on_server_hello(fragment->body);
  }
}

void Eavesdropper::on_server_hello(Bytes body) {
  const auto hello = dtls::message::ServerHello::decode(body);
  if (hello->random == dtls::message::kHelloRetryRequestRandom) return;
  suite = hello->cipher_suite;
  if (schedule::find13(*suite) == nullptr) return read12(hello->random);
  read13(Role::client, wire::kHandshakeEpoch13, "CLIENT_HANDSHAKE_TRAFFIC_SECRET");
  read13(Role::server, wire::kHandshakeEpoch13, "SERVER_HANDSHAKE_TRAFFIC_SECRET");
  read13(Role::client, wire::kFirstApplicationEpoch13, "CLIENT_TRAFFIC_SECRET_0");
  read13(Role::server, wire::kFirstApplicationEpoch13, "SERVER_TRAFFIC_SECRET_0");
}

void Eavesdropper::read12(const schedule::Random& server_random) {
  auto& library = environment().library();
  const auto& parameters = *schedule::find12(*suite);
  const schedule::MasterSecret master{Bytes(secret("CLIENT_RANDOM"))};
  const auto keys =
      must(schedule::traffic_keys12(library, parameters, master, {client_random_, server_random}));
  const auto install = [&](Role sender, const schedule::TrafficKey12& key) {
    const auto aead = std::get<schedule::AeadSuite12>(parameters.protection).aead;
    sides_[sender].add_reader12(
        must(dtls::record::Opener12::make(library, {aead, key.key.bytes(), key.iv.bytes()})));
  };
  install(Role::client, keys.client);
  install(Role::server, keys.server);
}

void Eavesdropper::read13(Role sender, wire::Epoch epoch, const char* label) {
  auto& library = environment().library();
  const auto& [id, aead, hash] = *schedule::find13(*suite);
  const auto keys = must(
      schedule::traffic_keys13(library, aead, hash, schedule::HashSecret(Bytes(secret(label)))));
  sides_[sender].add_reader(
      epoch, must(record::Opener13::make(
                 library, {aead, keys.key.bytes(), keys.iv.bytes(), keys.sn_key.bytes()})));
}

}  // namespace sluice::test
