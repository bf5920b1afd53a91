// A sensor and its gateway: a handshake with a pre-shared key, then a resumption by ticket.
#include <sluice/dtls/connection.h>
#include <sluice/dtls/psk_table.h>

#include <iostream>

namespace dtls = sluice::dtls;

namespace {

dtls::Bytes bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

// In a server, datagrams go through a socket here.
bool carry(dtls::Connection& from, dtls::Connection& to, dtls::Instant now) {
  std::byte datagram[dtls::kMaxDatagram];
  bool carried = false;
  while (const auto next = from.poll_transmit(datagram)) {
    const auto taken = to.handle_datagram(std::span(datagram).first(next->size), next->path, now);
    if (!taken) std::cerr << to_string(taken.error()) << '\n';
    carried = true;
  }
  return carried;
}

// The gateway looks up the key. It may answer at once, or later, when its database has answered. A
// sensor with another key makes answer() return an Error; then poll_transmit() has the alert.
void answer_questions(dtls::Connection& gateway, const dtls::PskTable& known, dtls::Instant now) {
  while (const auto event = gateway.poll_event()) {
    const auto* asked = std::get_if<dtls::PskRequested>(&*event);
    if (asked == nullptr) continue;
    const auto answered = gateway.answer(asked->question, known.answer(*asked), now);
    if (!answered) std::cerr << to_string(answered.error()) << '\n';
  }
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  const auto key =
      dtls::PreSharedKey::make(bytes("sensor 7"), bytes("32 bytes from a random generator"))
          .value();

  dtls::PskTable known;
  known.add(key);

  dtls::ConfigOptions sensor_options{.min_version = dtls::ProtocolVersion::dtls13};
  sensor_options.pre_shared_keys = {key};
  sensor_options.resumption = dtls::Resumption::tickets;
  const auto sensor_config = dtls::Config::make(sensor_options).value();

  dtls::ConfigOptions gateway_options{.min_version = dtls::ProtocolVersion::dtls13};
  gateway_options.ask_for_psk = true;
  gateway_options.resumption = dtls::Resumption::tickets;
  gateway_options.ticket_keys = std::make_shared<dtls::TicketKeys>();
  const auto gateway_config = dtls::Config::make(gateway_options).value();

  const dtls::PathId path{0};
  const dtls::Instant now{};  // from your clock
  std::optional<dtls::ResumableSession> ticket;
  for (int call = 0; call < 2; ++call) {
    auto sensor = dtls::Connection::client(sensor_config, environment, path, now, ticket).value();
    auto gateway = dtls::Connection::server(gateway_config, environment, path, now).value();
    while (carry(sensor, gateway, now) || carry(gateway, sensor, now)) {
      answer_questions(gateway, known, now);
    }
    if (!sensor.connected() || !gateway.connected()) return 1;
    std::cout << (sensor.info()->resumed ? "resumed" : "by the key") << '\n';
    while (const auto event = sensor.poll_event()) {
      if (const auto* received = std::get_if<dtls::SessionReceived>(&*event)) {
        ticket = received->session;
      }
    }
  }
  return 0;
}
