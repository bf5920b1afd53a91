// DTLS in the loop of asio: a server and a client, each on a UDP socket of its own.
#include <sluice/dtls/endpoint.h>
#include <sluice/udp/address.h>
#include <sluice/udp/driver.h>

#include <asio/io_context.hpp>
#include <asio/posix/descriptor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <iostream>
#include <string_view>

namespace dtls = sluice::dtls;
namespace udp = sluice::udp;

namespace {

using EndpointDriver = udp::Driver<dtls::Endpoint>;

// Runs a Driver in an io_context. Both outlive it.
class AsioLoop {
 public:
  AsioLoop(asio::io_context& context, EndpointDriver& driver, std::function<void()> drain)
      : descriptor_(context, driver.descriptor()), driver_(driver), drain_(std::move(drain)) {
    driver_.drain(drain_);
    wait();
  }
  AsioLoop(const AsioLoop&) = delete;
  AsioLoop& operator=(const AsioLoop&) = delete;
  // The Driver closes its descriptor.
  ~AsioLoop() { descriptor_.release(); }

 private:
  void wait() {
    descriptor_.async_wait(asio::posix::descriptor::wait_read, [this](asio::error_code error) {
      if (error) return;
      driver_.turn(drain_);
      wait();
    });
  }

  asio::posix::stream_descriptor descriptor_;
  EndpointDriver& driver_;
  std::function<void()> drain_;
};

dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

dtls::ConfigPtr config() {
  const auto psk =
      dtls::PreSharedKey::make(bytes_of("device 7"), bytes_of("32 bytes of its own, at random..."));
  return dtls::Config::make({.pre_shared_keys = {psk.value()}}).value();
}

EndpointDriver driver_of(const dtls::EndpointOptions& options, dtls::Environment& environment) {
  // The path that a client connects to names no local address.
  const bool is_server = options.server != nullptr;
  auto socket =
      udp::Socket::bind(udp::resolve("127.0.0.1:0").value(), {.reports_local_address = is_server})
          .value();
  return EndpointDriver::make(dtls::Endpoint::make(options, environment).value(), std::move(socket))
      .value();
}

}  // namespace

int main() {
  auto environment = dtls::Environment::make().value();
  auto server = driver_of({.server = config()}, environment);
  auto client = driver_of({}, environment);
  const auto connection =
      client.server().connect(config(), {.peer = server.socket().own()}, udp::now());
  if (!connection) return 1;

  asio::io_context context;
  const AsioLoop serving(context, server, [&] {
    while (const auto data = server.server().poll_data()) {
      static_cast<void>(server.send(data->connection, data->bytes));
    }
    while (server.server().poll_event()) continue;
  });
  bool answered = false;
  const AsioLoop asking(context, client, [&] {
    while (client.server().poll_data()) {
      answered = true;
      context.stop();
    }
    while (const auto event = client.server().poll_event()) {
      if (std::holds_alternative<dtls::Connected>(event->what)) {
        static_cast<void>(client.send(*connection, bytes_of("is there an echo?")));
      }
      if (std::holds_alternative<dtls::Ended>(event->what)) context.stop();
    }
  });
  context.run();
  std::cout << (answered ? "there is an echo\n" : "no echo\n");
  return answered ? 0 : 1;
}
