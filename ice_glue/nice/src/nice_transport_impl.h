// Joins ICE's generations, transport::MediaTransport and the user's listener on one GLib context.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sluice/nice/nice_transport.h>

#include "dtls_agreement.h"
#include "ice_generations.h"
#include "wake_source.h"

namespace sluice::nice {

using dtls::Instant;
using dtls::PathId;

// Methods that the user calls are inputs: they change state, note which outputs are due and wake
// the source. Only the source's dispatch and the arrival of a datagram call the listener. The
// listener may destroy the transport, so both hold a reference to this meanwhile.
class NiceTransport::Impl final : public std::enable_shared_from_this<NiceTransport::Impl>,
                                  public IceGenerations::Handler {
 public:
  Impl(const NiceTransportOptions& options, dtls::Environment& environment,
       transport::MediaTransport media, dtls::Fingerprint fingerprint, std::string tls_id,
       _GMainContext* context, NiceTransportListener& listener);
  ~Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // As in NiceTransport.
  TransportResult<void> gather();
  [[nodiscard]] Description local_description() const;
  enum class DescriptionKind : std::uint8_t { offer, answer };
  TransportResult<void> set_remote_description(const Description& description,
                                               DescriptionKind kind);
  CandidateStatus add_remote_candidate(std::string_view line);
  void end_of_remote_candidates();
  TransportResult<void> restart_ice();
  void close();
  SendStatus send_media(transport::MediaKind kind, Bytes packet);
  SendStatus send_data(Bytes data);
  [[nodiscard]] IceStatistics ice_statistics() const;
  [[nodiscard]] const transport::MediaTransport& media() const { return *media_; }
  [[nodiscard]] transport::MediaTransport& media() { return *media_; }

  // The user has destroyed the transport: sends close_notify and uses neither listener nor
  // Environment again.
  void shut_down();

 private:
  struct CandidatesDone {};
  struct PathSelected {
    PathId path;
    CandidatePair pair;
    std::optional<dtls::Duration> rtt;
  };
  using Notice = std::variant<std::string, CandidatesDone, IceState, PathSelected>;

  void on_local_candidate(std::string line) override;
  void on_local_candidates_done() override;
  void on_ice_state(IceState state) override;
  void on_path_selected(PathId path, CandidatePair pair,
                        std::optional<dtls::Duration> rtt) override;
  void on_path_lost(PathId path) override;
  void on_datagram(PathId path, MutableBytes datagram) override;

  [[nodiscard]] bool open() const { return ice_ && !closing_; }
  [[nodiscard]] Instant now() const;
  void on_wake();
  // Both note which outputs an input has left: input() outside of a dispatch, note() within one.
  void input(const dtls::Result<transport::TransportPending>& result);
  void note(const dtls::Result<transport::TransportPending>& result);
  void notify(Notice notice);
  void validate(PathId path);
  void agree(DtlsAgreement agreement);

  // Each is false when the listener has destroyed the transport.
  bool catch_up();
  bool take_notices();
  bool deliver();
  bool deliver_events();
  bool deliver_packets();
  void transmit();
  void end();
  void schedule();
  SendStatus send(Bytes datagram);

  NiceTransportListener* listener_;  // null after shut_down() and after on_closed()
  dtls::Environment& environment_;   // for calls of the user alone
  const gint64 origin_;              // EngineClock's zero, of g_get_monotonic_time()
  const Setup answer_setup_;
  const gint64 linger_;
  const srtp::Cryptex wanted_cryptex_;
  bool remote_cryptex_ = true;  // until a remote description says otherwise
  const dtls::Fingerprint fingerprint_;
  std::string tls_id_;  // ours
  std::optional<transport::MediaTransport> media_;
  std::unique_ptr<IceGenerations> ice_;  // null: ended
  IceStatistics last_ice_statistics_;
  std::optional<DtlsAgreement> agreed_;
  std::vector<PathId> validated_;  // as many as there are generations
  transport::TransportPending pending_;
  std::deque<Notice> notices_;  // bounded by libnice's candidates and states
  std::optional<CloseReason> closing_;
  std::optional<WakeSource> wake_;
};

}  // namespace sluice::nice
