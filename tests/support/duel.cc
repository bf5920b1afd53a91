#include "support/duel.h"

#include <openssl/err.h>

#include "support/bytes.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Role;

Role other(Role role) { return role == Role::client ? Role::server : Role::client; }

Peer make_engine(Role role, dtls::ConfigOptions options) {
  options.max_version = dtls::ProtocolVersion::dtls12;  // what the scripted peer speaks
  const auto config = make_config(std::move(options));
  return role == Role::client ? make_client(config) : make_server(config);
}

// What only a complete handshake with an accepted peer may give.
testing::AssertionResult gives_nothing(Duel& duel) {
  const dtls::Connection& connection = duel.engine.connection();
  if (duel.engine.connected || connection.connected() || connection.info()) {
    return testing::AssertionFailure() << "the engine says it is connected";
  }
  if (!duel.engine.data.empty()) return testing::AssertionFailure() << "data came out";
  Buffer key(20);
  const auto exported = connection.export_keying_material(key, "label", std::nullopt);
  if (exported || exported.error().code != dtls::Errc::not_connected) {
    return testing::AssertionFailure() << "the exporter answered";
  }
  if (connection.srtp_keys()) return testing::AssertionFailure() << "there are SRTP keys";
  Buffer out(dtls::kSealOverhead + 1);
  const auto sealed = duel.engine.connection().seal(bytes_of("x"), out);
  if (sealed || sealed.error() != dtls::SendError::not_connected) {
    return testing::AssertionFailure() << "data can be sent";
  }
  if (ERR_peek_error() != 0) return testing::AssertionFailure() << "libcrypto's queue has an error";
  return testing::AssertionSuccess();
}

// An Error is told once, and final: whatever comes later has no effect.
testing::AssertionResult is_final(Duel& duel, dtls::Errc code) {
  if (duel.engine.connection().next_timeout()) {
    return testing::AssertionFailure() << "a timer runs on";
  }
  Buffer datagram(64, std::byte{22});
  const auto outcome = duel.engine.connection().handle_datagram(datagram, kPath, duel.now);
  if (!outcome || outcome->transmit || outcome->data || outcome->event || outcome->timer) {
    return testing::AssertionFailure() << "a later input has an effect";
  }
  const auto error = duel.engine.connection().error();
  if (!error || error->code != code || !error->is_fatal) {
    return testing::AssertionFailure() << "the connection does not keep its error";
  }
  if (!duel.engine.take_datagrams().empty()) {
    return testing::AssertionFailure() << "the engine goes on sending";
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult has_error(const Duel& duel, dtls::Errc code) {
  if (!duel.engine.error) return testing::AssertionFailure() << "the engine reported no error";
  if (duel.engine.error->code == code) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the error is " << to_string(*duel.engine.error);
}

}  // namespace

Duel::Duel(Role engine_role, Script script, dtls::ConfigOptions options)
    : engine(make_engine(engine_role, std::move(options))),
      peer(other(engine_role), std::move(script)) {
  if (engine_role == Role::server && peer.script.replies) peer.start();
}

void Duel::deliver(Buffer datagram) { engine.receive(std::move(datagram), now); }

std::size_t Duel::collect() {
  const auto datagrams = engine.take_datagrams();
  for (const Buffer& datagram : datagrams) peer.receive(datagram);
  return datagrams.size();
}

void Duel::run() {
  bool moved = true;
  while (moved) {
    moved = collect() > 0;
    for (Buffer& datagram : peer.take_datagrams()) {
      deliver(std::move(datagram));
      moved = true;
    }
  }
}

unsigned Duel::wait(dtls::Duration time) {
  const dtls::Instant end = now + time;
  unsigned fired = 0;
  engine.take_datagrams();
  for (auto next = engine.connection().next_timeout(); next && *next <= end;
       next = engine.connection().next_timeout()) {
    expire();
    engine.take_datagrams();
    ++fired;
  }
  now = end;
  return fired;
}

void Duel::expire() {
  now = std::max(now, engine.connection().next_timeout().value());
  engine.settle(engine.connection().handle_timeout(now), now);
}

testing::AssertionResult works(Duel& duel) {
  duel.run();
  if (duel.engine.error) return testing::AssertionFailure() << to_string(*duel.engine.error);
  if (!duel.engine.connected) return testing::AssertionFailure() << "the engine isn't connected";
  if (!duel.peer.complete) return testing::AssertionFailure() << "no Finished reached the peer";
  Buffer key(40);
  if (!duel.engine.connection().export_keying_material(key, "EXPORTER-test", std::nullopt) ||
      key != duel.peer.exported("EXPORTER-test", key.size())) {
    return testing::AssertionFailure() << "the exporters differ";
  }
  const std::size_t sent_before = duel.peer.received_data.size();
  const std::size_t received_before = duel.engine.data.size();
  duel.peer.receive(duel.engine.seal(bytes_of("from the engine")));
  duel.deliver(duel.peer.data(bytes_of("from the peer")));
  if (duel.peer.received_data.size() != sent_before + 1 ||
      duel.engine.data.size() != received_before + 1 ||
      duel.engine.data.back() != copy_of(bytes_of("from the peer"))) {
    return testing::AssertionFailure() << "data doesn't pass";
  }
  if (ERR_peek_error() != 0) return testing::AssertionFailure() << "libcrypto's queue has an error";
  return testing::AssertionSuccess();
}

testing::AssertionResult failed(Duel& duel, dtls::Errc code, dtls::Alert alert) {
  if (auto error = has_error(duel, code); !error) return error;
  if (duel.engine.error->alert != alert) {
    return testing::AssertionFailure() << "the error is " << to_string(*duel.engine.error);
  }
  duel.collect();
  if (duel.peer.alerts.size() != 1) {
    return testing::AssertionFailure() << duel.peer.alerts.size() << " alerts reached the peer";
  }
  const auto sent = duel.peer.alerts.front();
  if (sent.level != dtls::message::AlertLevel::fatal || sent.description != alert) {
    return testing::AssertionFailure() << "the peer got " << to_string(sent.description);
  }
  if (auto nothing = gives_nothing(duel); !nothing) return nothing;
  return is_final(duel, code);
}

testing::AssertionResult failed_silently(Duel& duel, dtls::Errc code) {
  if (auto error = has_error(duel, code); !error) return error;
  duel.collect();
  if (!duel.peer.alerts.empty()) return testing::AssertionFailure() << "an alert was sent";
  if (auto nothing = gives_nothing(duel); !nothing) return nothing;
  return is_final(duel, code);
}

testing::AssertionResult still_waiting(Duel& duel) {
  if (duel.engine.error) return testing::AssertionFailure() << to_string(*duel.engine.error);
  duel.collect();
  if (!duel.peer.alerts.empty()) return testing::AssertionFailure() << "an alert was sent";
  return gives_nothing(duel);
}

testing::AssertionResult accepted(dtls::Role engine, Script script, dtls::ConfigOptions options) {
  Duel duel(engine, std::move(script), std::move(options));
  return works(duel);
}

testing::AssertionResult refused(dtls::Role engine, Script script, dtls::Errc code,
                                 dtls::Alert alert, dtls::ConfigOptions options) {
  Duel duel(engine, std::move(script), std::move(options));
  duel.run();
  return failed(duel, code, alert);
}

}  // namespace sluice::test
