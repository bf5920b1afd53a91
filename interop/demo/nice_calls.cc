#include "demo/nice_calls.h"

#include <sluice/nice/nice_transport.h>

#include <utility>

namespace sluice::interop::demo {
namespace {

std::string describe(const nice::CloseReason& reason) {
  switch (reason.cause) {
    case nice::CloseReason::Cause::local:
      return "closed here";
    case nice::CloseReason::Cause::peer:
      return "closed by the peer";
    case nice::CloseReason::Cause::error:
      break;
  }
  return describe_failure(reason.error);
}

std::string sentence_of(std::string sentence, const nice::TransportError& error) {
  sentence += ": " + std::string{nice::to_string(error.code)};
  if (!error.detail.empty()) sentence += " (" + std::string{error.detail} + ")";
  return sentence + ".";
}

nice::Setup to_nice(Setup setup) {
  return nice::parse_setup(to_string(setup)).value_or(nice::Setup::actpass);
}

nice::Description to_nice(const TransportDescription& description) {
  return {.ice = {.ufrag = description.ice.ufrag, .pwd = description.ice.pwd},
          .candidates = description.candidates,
          .end_of_candidates = description.end_of_candidates,
          .setup = to_nice(description.setup),
          .fingerprints = description.fingerprints,
          .tls_id = description.tls_id,
          .cryptex = description.cryptex};
}

TransportDescription from_nice(const nice::Description& description) {
  return {.ice = {.ufrag = description.ice.ufrag, .pwd = description.ice.pwd},
          .candidates = description.candidates,
          .end_of_candidates = description.end_of_candidates,
          .setup = parse_setup(nice::to_string(description.setup)).value_or(Setup::actpass),
          .fingerprints = description.fingerprints,
          .tls_id = description.tls_id,
          .cryptex = description.cryptex};
}

class NiceCall final : public CallTransport, private nice::NiceTransportListener {
 public:
  explicit NiceCall(CallListener& listener) : listener_(listener) {}

  nice::TransportResult<void> open(const nice::NiceTransportOptions& options,
                                   const std::optional<TransportDescription>& offer,
                                   dtls::Environment& environment, _GMainContext* context) {
    auto made = nice::NiceTransport::make(options, environment, context, *this);
    if (!made) return tl::unexpected(made.error());
    transport_.emplace(*std::move(made));
    return offer ? transport_->set_remote_offer(to_nice(*offer)) : transport_->gather();
  }

  [[nodiscard]] bool description_ready() const override { return is_ready_; }
  [[nodiscard]] TransportDescription local_description() const override {
    return from_nice(transport_->local_description());
  }
  [[nodiscard]] bool is_ice_lite() const override { return false; }

  SdpResult<void> set_answer(const TransportDescription& answer) override {
    if (auto set = transport_->set_remote_answer(to_nice(answer)); !set) {
      return tl::unexpected(SdpError{sentence_of("The answer can't be taken", set.error())});
    }
    return {};
  }

  void send_rtp(Bytes packet) override { transport_->send_rtp(packet); }
  void send_rtcp(Bytes packet) override { transport_->send_rtcp(packet); }
  void send_data(Bytes data) override { transport_->send_data(data); }

  [[nodiscard]] PathFigures path_figures() const override {
    const auto statistics = transport_->ice_statistics();
    PathFigures figures{.state = std::string{nice::to_string(statistics.state)},
                        .pair = {},
                        .datagrams_received = statistics.datagrams_received,
                        .datagrams_sent = statistics.datagrams_sent};
    if (statistics.selected_pair) figures.pair = nice::to_string(*statistics.selected_pair);
    return figures;
  }
  [[nodiscard]] std::optional<dtls::ConnectionInfo> info() const override {
    return transport_->info();
  }
  [[nodiscard]] srtp::Cryptex cryptex() const override { return transport_->cryptex(); }
  [[nodiscard]] transport::MediaTransportStatistics media_statistics() const override {
    return transport_->media_statistics();
  }
  [[nodiscard]] std::optional<dtls::Statistics> dtls_statistics() const override {
    return transport_->dtls_statistics();
  }
  tl::expected<dtls::SecretBytes, std::string> move_out() override {
    return tl::unexpected<std::string>("libnice's state cannot move");
  }

 private:
  void on_local_candidates_done() override {
    if (!std::exchange(is_ready_, true)) listener_.on_description_ready();
  }
  void on_ice_state(nice::IceState state) override {
    const bool works = state == nice::IceState::connected || state == nice::IceState::completed;
    if (works && !std::exchange(has_path_, true)) return listener_.on_path();
    if (state == nice::IceState::failed) listener_.on_transport_ended("ICE failed");
  }
  void on_connected(const dtls::ConnectionInfo& info) override { listener_.on_connected(info); }
  void on_rtp(MutableBytes packet) override { listener_.on_rtp(packet); }
  void on_rtcp(MutableBytes packet) override { listener_.on_rtcp(packet); }
  void on_data(MutableBytes data) override { listener_.on_data(data); }
  void on_closed(const nice::CloseReason& reason) override {
    listener_.on_transport_ended(describe(reason));
  }

  CallListener& listener_;
  std::optional<nice::NiceTransport> transport_;
  bool is_ready_ = false;
  bool has_path_ = false;
};

class NiceCalls final : public CallTransports {
 public:
  NiceCalls(nice::IceOptions options, dtls::Environment& environment, _GMainContext* context)
      : options_(std::move(options)), environment_(environment), context_(context) {}

  SdpResult<std::unique_ptr<CallTransport>> open(const CallOptions& call,
                                                 CallListener& listener) override {
    nice::NiceTransportOptions options;
    options.media.dtls = call.dtls;
    options.ice = options_;
    // RFC 8445 section 6.1.1: a full agent controls a lite one; otherwise the offerer controls.
    options.ice.role =
        call.offer_is_lite || !call.offer ? nice::IceRole::controlling : nice::IceRole::controlled;
    if (call.offer) {
      options.answer_setup = to_nice(call.setup);
      options.media.srtp.cryptex = answer_cryptex(*call.offer);
    }
    auto made = std::make_unique<NiceCall>(listener);
    if (auto opened = made->open(options, call.offer, environment_, context_); !opened) {
      return tl::unexpected(SdpError{sentence_of("The transport can't be opened", opened.error())});
    }
    return made;
  }
  SdpResult<std::unique_ptr<CallTransport>> restore(Bytes /*moved*/,
                                                    const RestoreOptions& /*options*/,
                                                    CallListener& /*listener*/) override {
    return tl::unexpected(SdpError{"libnice's state cannot move."});
  }

 private:
  nice::IceOptions options_;
  dtls::Environment& environment_;
  _GMainContext* context_;
};

}  // namespace

tl::expected<std::unique_ptr<CallTransports>, std::string> make_nice_calls(
    const nice::IceOptions& options, dtls::Environment& environment, _GMainContext* context) {
  if (auto checked = nice::check(options); !checked) {
    return tl::unexpected("ICE: " + std::string{checked.error().detail});
  }
  return std::make_unique<NiceCalls>(options, environment, context);
}

}  // namespace sluice::interop::demo
