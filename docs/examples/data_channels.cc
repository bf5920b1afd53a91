// Two associations with data channels in one process, without DTLS and a network: one opens a
// channel and says hello, the other answers.
#include <sluice/data_channel/association.h>

#include <iostream>
#include <string>
#include <string_view>
#include <variant>

namespace dtls = sluice::dtls;
namespace data_channel = sluice::data_channel;
using namespace std::chrono_literals;

static std::string text_of(dtls::Bytes data) {
  return {reinterpret_cast<const char*>(data.data()), data.size()};
}
static dtls::Bytes bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// The data channels of one call. Its packets go through MediaTransport.
class Channels {
 public:
  // When DTLS is connected or the first packet has come. The role and the limits come from DTLS and
  // the peer's SDP.
  Channels(std::string name, dtls::Role role, dtls::Instant now)
      : name_(std::move(name)),
        association_(
            data_channel::Association::make({.role = role, .peer_max_message_size = 262144}, now)
                .value()) {}

  // What MediaTransport::poll_data() returns.
  void on_packet(dtls::Bytes packet, dtls::Instant now) {
    association_.handle_packet(packet, now);
    take_events(now);
  }
  void on_timeout(dtls::Instant now) {
    association_.handle_timeout(now);
    take_events(now);
  }
  [[nodiscard]] auto next_timeout() const { return association_.next_timeout(); }
  // To be sent by MediaTransport::seal_data(), after every input and every call.
  auto poll_transmit() { return association_.poll_transmit(); }

  void say_hello(dtls::Instant now) {
    const auto channel = association_.open({.label = "chat"}, now);
    if (channel) send(*channel, "hello", now);
  }
  [[nodiscard]] int received() const { return received_; }

 private:
  void send(data_channel::ChannelId id, std::string_view text, dtls::Instant now) {
    const auto sent = association_.send(id, data_channel::MessageType::text, bytes_of(text), now);
    // queue_full: stop reading from where the messages come, until BufferedAmountLow.
    if (!sent) std::cerr << to_string(sent.error().code) << '\n';
  }

  void take_events(dtls::Instant now) {
    while (const auto event = association_.poll_event()) {
      if (const auto* opened = std::get_if<data_channel::ChannelOpened>(&*event)) {
        std::cout << name_ << ": channel '" << opened->options.label << "'\n";
      } else if (const auto* message = std::get_if<data_channel::MessageReceived>(&*event)) {
        ++received_;
        std::cout << name_ << ": " << text_of(message->data) << '\n';
        if (text_of(message->data) == "hello") send(message->id, "hello to you", now);
      } else if (const auto* closed = std::get_if<data_channel::Closed>(&*event)) {
        std::cout << name_ << ": ended, " << to_string(closed->reason) << '\n';
      }
    }
  }

  std::string name_;
  data_channel::Association association_;
  int received_ = 0;
};

static void exchange(Channels& from, Channels& to, dtls::Instant now) {
  while (const auto packet = from.poll_transmit()) to.on_packet(*packet, now);
}

int main() {
  dtls::Instant now{};
  Channels a("a", dtls::Role::client, now);
  Channels b("b", dtls::Role::server, now);
  a.say_hello(now);
  for (int tick = 0; tick < 100 && a.received() == 0; ++tick) {
    exchange(a, b, now);
    exchange(b, a, now);
    now += 10ms;
    a.on_timeout(now);
    b.on_timeout(now);
  }
  return a.received() == 1 && b.received() == 1 ? 0 : 1;
}
