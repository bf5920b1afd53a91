// DTLS in the loop of libuv: a server and a client, each on a UDP socket of its own.
#include <sluice/dtls/endpoint.h>
#include <sluice/udp/address.h>
#include <sluice/udp/driver.h>
#include <uv.h>

#include <functional>
#include <iostream>
#include <string_view>

namespace dtls = sluice::dtls;
namespace udp = sluice::udp;

namespace {

using EndpointDriver = udp::Driver<dtls::Endpoint>;

// Runs a Driver in a loop. Both outlive it, and it outlives uv_run().
class UvLoop {
 public:
  UvLoop(uv_loop_t& loop, EndpointDriver& driver, std::function<void()> drain)
      : driver_(driver), drain_(std::move(drain)) {
    uv_poll_init(&loop, &poll_, driver.descriptor());
    poll_.data = this;
    driver_.drain(drain_);
    uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
      auto& self = *static_cast<UvLoop*>(poll->data);
      self.driver_.turn(self.drain_);
    });
  }
  UvLoop(const UvLoop&) = delete;
  UvLoop& operator=(const UvLoop&) = delete;

  // uv_run() returns once all are closed.
  void close() { uv_close(reinterpret_cast<uv_handle_t*>(&poll_), nullptr); }

 private:
  uv_poll_t poll_ = {};
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

  uv_loop_t loop;
  uv_loop_init(&loop);
  UvLoop serving(loop, server, [&] {
    while (const auto data = server.server().poll_data()) {
      static_cast<void>(server.send(data->connection, data->bytes));
    }
    while (server.server().poll_event()) continue;
  });
  bool answered = false;
  bool ended = false;
  UvLoop asking(loop, client, [&] {
    while (client.server().poll_data()) answered = true;
    while (const auto event = client.server().poll_event()) {
      if (std::holds_alternative<dtls::Connected>(event->what)) {
        static_cast<void>(client.send(*connection, bytes_of("is there an echo?")));
      }
      ended = ended || std::holds_alternative<dtls::Ended>(event->what);
    }
    if (answered || ended) uv_stop(&loop);
  });
  uv_run(&loop, UV_RUN_DEFAULT);
  serving.close();
  asking.close();
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
  std::cout << (answered ? "there is an echo\n" : "no echo\n");
  return answered ? 0 : 1;
}
