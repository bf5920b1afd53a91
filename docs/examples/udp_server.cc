// A DTLS echo server on a UDP socket, and a client: a Driver has the socket, the batches, the
// timers and the clock.
#include <sluice/dtls/endpoint.h>
#include <sluice/udp/address.h>
#include <sluice/udp/driver.h>

#include <chrono>
#include <iostream>
#include <string_view>
#include <thread>

namespace dtls = sluice::dtls;
namespace udp = sluice::udp;

namespace {

using EndpointDriver = udp::Driver<dtls::Endpoint>;

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

dtls::ConfigPtr config() {
  const auto psk =
      dtls::PreSharedKey::make(bytes_of("device 7"), bytes_of("32 bytes of its own, at random..."));
  return dtls::Config::make({.pre_shared_keys = {psk.value()}}).value();
}

void serve(udp::Socket socket, const std::stop_token& stop) {
  auto environment = dtls::Environment::make().value();
  auto endpoint = dtls::Endpoint::make({.server = config()}, environment).value();
  auto driver = EndpointDriver::make(std::move(endpoint), std::move(socket)).value();
  while (!stop.stop_requested()) {
    driver.wait(udp::now() + std::chrono::milliseconds{100});
    driver.turn([&] {
      while (const auto data = driver.server().poll_data()) {
        // An error says that the connection is about to end: Ended follows.
        static_cast<void>(driver.send(data->connection, data->bytes));
      }
      while (const auto event = driver.server().poll_event()) {
        if (const auto* ended = std::get_if<dtls::Ended>(&event->what)) {
          std::cout << udp::to_string(ended->path.peer) + ' ' +
                           std::string(to_string(ended->reason)) + '\n';
        }
      }
    });
  }
}

// Whether the server sends back what it gets.
bool ask(const dtls::UdpEndpoint& server) {
  auto environment = dtls::Environment::make().value();
  auto socket =
      udp::Socket::bind(udp::resolve("127.0.0.1:0").value(), {.reports_local_address = false})
          .value();
  auto driver =
      EndpointDriver::make(dtls::Endpoint::make({}, environment).value(), std::move(socket))
          .value();
  const auto connection = driver.server().connect(config(), {.peer = server}, udp::now());
  if (!connection) return false;
  bool answered = false;
  bool ended = false;
  const auto drain = [&] {
    while (const auto data = driver.server().poll_data()) answered = true;
    while (const auto event = driver.server().poll_event()) {
      if (std::holds_alternative<dtls::Connected>(event->what)) {
        static_cast<void>(driver.send(*connection, bytes_of("is there an echo?")));
      }
      ended = ended || std::holds_alternative<dtls::Ended>(event->what);
    }
  };
  driver.drain(drain);
  while (!answered && !ended) {
    driver.wait();
    driver.turn(drain);
  }
  driver.server().close_all(udp::now());
  driver.drain(drain);
  return answered;
}

}  // namespace

int main() {
  auto socket = udp::Socket::bind(udp::resolve("127.0.0.1:0").value()).value();
  const auto address = socket.own();
  const std::jthread server([&](const std::stop_token& stop) { serve(std::move(socket), stop); });
  const bool answered = ask(address);
  std::cout << (answered ? "there is an echo\n" : "no echo\n");
  return answered ? 0 : 1;
}
