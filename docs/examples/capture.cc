// Records a call into a pcapng file for Wireshark, and its secrets into a key log file.
#include <chrono>
#include <fstream>
#include <iostream>

#include <sluice/dtls/capture.h>
#include <sluice/dtls/connection.h>
#include <sluice/dtls/identity.h>

namespace dtls = sluice::dtls;

namespace {

// Records everything that an Environment's connections send and receive, with the keys. Only for
// debugging.
class WiresharkFile {
 public:
  explicit WiresharkFile(const char* name) : file_(name, std::ios::binary) {}

  dtls::Environment::Options options() {
    return {.key_log = &capture_, .packet_observer = &capture_};
  }
  // Call it between inputs, as often as you like.
  void flush() {
    const dtls::Buffer bytes = capture_.take();
    file_.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  }

 private:
  // `epoch`: the time of day at Instant{}. Addresses are invented unless you set them.
  dtls::Capture capture_{{.epoch = std::chrono::duration_cast<std::chrono::microseconds>(
                              std::chrono::system_clock::now().time_since_epoch())}};
  std::ofstream file_;
};

// The format that browsers write to the file named by SSLKEYLOGFILE.
class KeyLogFile final : public dtls::KeyLog {
 public:
  explicit KeyLogFile(const char* name) : file_(name, std::ios::app) {}
  void add_line(std::string_view line) override { file_ << line << '\n' << std::flush; }

 private:
  std::ofstream file_;
};

// One end of a call in memory.
dtls::Connection make_end(dtls::Role role, dtls::Environment& environment) {
  const auto identity = dtls::Identity::self_signed(environment).value();
  const auto config = dtls::Config::make({.identities = {identity}}).value();
  constexpr dtls::PathId kPath{0};
  return role == dtls::Role::client
             ? dtls::Connection::client(config, environment, kPath, dtls::Instant{}).value()
             : dtls::Connection::server(config, environment, kPath, dtls::Instant{}).value();
}

void carry(dtls::Connection& from, dtls::Connection& to) {
  std::byte datagram[dtls::kMaxDatagram];
  while (const auto next = from.poll_transmit(datagram)) {
    const auto bytes = std::span(datagram).first(next->size);
    if (const auto taken = to.handle_datagram(bytes, next->path, dtls::Instant{}); !taken) {
      std::cerr << to_string(taken.error()) << '\n';
    }
    while (const auto event = to.poll_event()) {
      if (const auto* asked = std::get_if<dtls::PeerCertificateReceived>(&*event)) {
        const auto answered = to.answer(asked->question, dtls::AcceptPeer{}, dtls::Instant{});
        if (!answered) std::cerr << to_string(answered.error()) << '\n';
      }
    }
  }
}

}  // namespace

int main() {
  WiresharkFile capture("server.pcapng");
  KeyLogFile keys("client.keys");
  auto server_environment = dtls::Environment::make(capture.options()).value();
  auto client_environment = dtls::Environment::make({.key_log = &keys}).value();
  auto server = make_end(dtls::Role::server, server_environment);
  auto client = make_end(dtls::Role::client, client_environment);
  for (int i = 0; i < 3; ++i) {
    carry(client, server);
    carry(server, client);
    capture.flush();
  }
  std::cout << (client.connected() && server.connected() ? "recorded\n" : "not connected\n");
  return client.connected() && server.connected() ? 0 : 1;
}
