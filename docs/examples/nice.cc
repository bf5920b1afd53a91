// NiceTransport: a server that echoes media and data, and a caller.
#include <algorithm>
#include <cstdlib>
#include <future>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include <sluice/dtls/identity.h>
#include <sluice/nice/glib_thread.h>
#include <sluice/nice/nice_transport.h>

namespace dtls = sluice::dtls;

namespace {

// Not in the global namespace: <unistd.h> has a function of that name there.
namespace nice = sluice::nice;

// One session. Its callbacks run on the thread of its GLib context; call it only on that thread.
class Echo final : public nice::NiceTransportListener {
 public:
  Echo(const nice::NiceTransportOptions& options, dtls::Environment& environment,
       nice::GlibThread& thread)
      : transport_(
            nice::NiceTransport::make(options, environment, thread.context(), *this).value()) {}

  // Makes the answer to an offer. Later candidates are reported by on_local_candidate().
  std::optional<nice::Description> answer(const nice::Description& offer) {
    if (const auto taken = transport_.set_remote_offer(offer); !taken) {
      std::cerr << to_string(taken.error().code) << ' ' << taken.error().detail << '\n';
      return std::nullopt;
    }
    return transport_.local_description();
  }

  void on_connected(const dtls::ConnectionInfo& info) override {
    std::cout << "server: " << to_string(info.cipher_suite) << '\n';
  }
  void on_rtp(dtls::MutableBytes packet) override { transport_.send_rtp(packet); }
  void on_rtcp(dtls::MutableBytes) override {}
  void on_data(dtls::MutableBytes data) override { transport_.send_data(data); }
  void on_closed(const nice::CloseReason& reason) override {
    if (reason.error) std::cerr << to_string(*reason.error) << '\n';
  }

 private:
  nice::NiceTransport transport_;
};

// The transport's lines of an SDP media section.
std::string to_sdp(const nice::Description& description) {
  std::ostringstream sdp;
  sdp << "a=ice-ufrag:" << description.ice.ufrag << "\r\n"
      << "a=ice-pwd:" << description.ice.pwd << "\r\n"
      << "a=setup:" << to_string(description.setup) << "\r\n";
  for (const auto& fingerprint : description.fingerprints) {
    sdp << "a=fingerprint:" << fingerprint.to_sdp() << "\r\n";
  }
  for (const auto& candidate : description.candidates) sdp << "a=" << candidate << "\r\n";
  if (description.end_of_candidates) sdp << "a=end-of-candidates\r\n";
  return std::move(sdp).str();
}

// Reads those lines; empty if one cannot be read.
std::optional<nice::Description> from_sdp(const std::string& sdp) {
  nice::Description description;
  std::istringstream lines(sdp);
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    const auto value = colon == std::string::npos ? "" : line.substr(colon + 1);
    if (name == "a=ice-ufrag") description.ice.ufrag = value;
    if (name == "a=ice-pwd") description.ice.pwd = value;
    if (name == "a=candidate") description.candidates.push_back(line);
    if (name == "a=end-of-candidates") description.end_of_candidates = true;
    if (name == "a=tls-id") description.tls_id = value;
    if (name == "a=setup") {
      const auto setup = nice::parse_setup(value);
      if (!setup) return std::nullopt;
      description.setup = *setup;
    }
    if (name == "a=fingerprint") {
      const auto space = value.find(' ');
      if (space == std::string::npos) return std::nullopt;
      // Skips an unknown hash: there may be another fingerprint.
      auto read = dtls::Fingerprint::parse(value.substr(0, space), value.substr(space + 1));
      if (read) description.fingerprints.push_back(std::move(*read));
    }
  }
  return description;
}

// The offerer, in the browser's place.
class Caller final : public nice::NiceTransportListener {
 public:
  Caller(const nice::NiceTransportOptions& options, dtls::Environment& environment,
         nice::GlibThread& thread, std::promise<std::string>& echoed)
      : echoed_(echoed),
        transport(
            nice::NiceTransport::make(options, environment, thread.context(), *this).value()) {}

  void on_connected(const dtls::ConnectionInfo&) override {
    transport.send_data(std::as_bytes(std::span(std::string_view("hello"))));
  }
  void on_rtp(dtls::MutableBytes) override {}
  void on_rtcp(dtls::MutableBytes) override {}
  void on_data(dtls::MutableBytes data) override {
    echoed_.set_value({reinterpret_cast<const char*>(data.data()), data.size()});
  }
  void on_closed(const nice::CloseReason&) override {}

 private:
  std::promise<std::string>& echoed_;

 public:
  nice::NiceTransport transport;
};

nice::NiceTransportOptions make_options(dtls::Environment& environment) {
  nice::NiceTransportOptions options;
  options.media.dtls =
      dtls::Config::make({.identities = {dtls::Identity::self_signed(environment).value()}})
          .value();
  options.ice.local_addresses = {"127.0.0.1"};
  return options;
}

// A session on its own thread.
template <class Session>
struct Place {
  template <class... Arguments>
  explicit Place(nice::IceRole role, Arguments&... arguments) {
    thread.call([&] {
      environment.emplace(dtls::Environment::make().value());
      auto options = make_options(*environment);
      options.ice.role = role;
      session.emplace(options, *environment, thread, arguments...);
    });
  }
  ~Place() {
    thread.call([&] {
      session.reset();
      environment.reset();
    });
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  nice::GlibThread thread;
  std::optional<dtls::Environment> environment;
  std::optional<Session> session;
};

}  // namespace

int main() {
  std::promise<std::string> echoed;
  Place<Echo> server(nice::IceRole::controlled);
  Place<Caller> caller(nice::IceRole::controlling, echoed);

  const auto offer = caller.thread.call([&] {
    auto& transport = caller.session->transport;
    if (!transport.gather()) std::abort();
    return to_sdp(transport.local_description());
  });
  std::cout << offer;
  const auto answer = server.thread.call([&] {
    const auto read = from_sdp(offer);
    const auto description = read ? server.session->answer(*read) : std::nullopt;
    return description ? to_sdp(*description) : std::string();
  });
  caller.thread.call([&] {
    const auto read = from_sdp(answer);
    if (!read || !caller.session->transport.set_remote_answer(*read)) std::abort();
  });

  auto echo = echoed.get_future();
  const bool came = echo.wait_for(std::chrono::seconds{30}) == std::future_status::ready;
  std::cout << (came ? "echoed: " + echo.get() : "no echo") << '\n';
  return came ? 0 : 1;
}
