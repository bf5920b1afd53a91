// A media server with its publishers and viewers in virtual time, on a network without delay.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/rtp/packet.h>
#include <sluice/rtp/rtcp.h>

#include "common/sdp/sdp_document.h"
#include "sfu/sfu.h"
#include "support/endpoints.h"
#include "support/ice_client.h"

namespace sluice::interop::sfu {

// What a browser is to the server.
struct Peer {
  std::string id;      // of its session
  SdpDocument answer;  // to its offer
  // Where the server sees it: another one, when it has moved.
  dtls::UdpEndpoint address = {};
  std::unique_ptr<test::IceClient> client = {};
  std::size_t loses = 0;  // so many of the next datagrams to it

  // Of the stream that the answer announces in a section.
  [[nodiscard]] rtp::Ssrc ssrc(std::size_t section) const;
};

// The server's address; its answers have it as a candidate.
inline constexpr dtls::UdpEndpoint kServer{dtls::Ipv4Address{198, 51, 100, 1}, 443};

// The sections of all offers; those of further seats follow.
inline constexpr std::size_t kAudio = 0;
inline constexpr std::size_t kVideo = 1;

// A packet of a publisher, which has one source in each section.
struct MediaFields {
  std::size_t section = kVideo;
  std::uint16_t number = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;         // 0: that of the section
  std::uint8_t payload_type = 0;  // 0: that of the section
  std::string_view payload = "payload";
  std::string_view rid = {};  // empty: none
  std::optional<std::uint16_t> transport_number = {};
};
inline constexpr std::array<std::uint32_t, 2> kSources = {0x0a0a0a0a, 0x0b0b0b0b};

class SfuWorld {
 public:
  // `workplace`: of a server with several workers, of which this is one.
  explicit SfuWorld(SfuOptions options = {}, const Workplace& workplace = {});
  virtual ~SfuWorld() = default;
  SfuWorld(const SfuWorld&) = delete;
  SfuWorld& operator=(const SfuWorld&) = delete;

  // The offer of a publisher or a viewer. `seats`: pairs of sections.
  static std::string publisher_offer(const std::string& video = "VP8");
  // With three layers of video: "h", "m" and "l".
  static std::string simulcast_offer();
  static std::string viewer_offer(std::size_t seats = 1, bool has_rtx = false);
  // Signalling alone.
  CreateResult publish(const std::string& offer, const std::string& room = "room",
                       const std::string& address = "192.0.2.1");
  CreateResult watch(const std::string& offer, const std::string& room = "room",
                     const std::string& address = "192.0.2.1");
  // Likewise, and then it connects.
  Peer& publisher(const std::string& offer = publisher_offer());
  Peer& viewer(const std::string& offer = viewer_offer());

  void run_for(dtls::Duration duration);

  // The server's process ends. What it leaves.
  dtls::SecretBytes leave();
  // The next one begins, `away` later, with what leave() has returned. How many sessions go on.
  std::size_t go_on(dtls::Bytes left, dtls::Duration away = {});
  // The next one, without what the one before had.
  void begin_anew(const Workplace& workplace = {});
  // Takes what other workers have sent.
  void take_from_workers();

  // Both.
  std::size_t replace(dtls::Duration away = {}) { return go_on(leave().bytes(), away); }
  void send(Peer& publisher, const MediaFields& fields);
  void send_rtp(Peer& publisher, const test::Packet& plain);
  // `write` adds packets to a rtp::CompoundWriter.
  template <class Write>
  void send_rtcp(Peer& peer, Write write) {
    std::array<std::byte, 1200> bytes{};
    rtp::CompoundWriter writer(rtp::CompoundForm::reduced_size, bytes);
    write(writer);
    send_rtcp(peer, rtp::Bytes(writer.compound()));
  }
  void send_rtcp(Peer& peer, rtp::Bytes compound);

  // All packets of one type that have come to a peer. They point into what has come.
  template <class What>
  static std::vector<What> received(const Peer& peer) {
    std::vector<What> found;
    for (const auto& compound : peer.client->rtcp) {
      rtp::CompoundReader reader(compound);
      while (const auto packet = reader.next()) {
        if (!*packet) throw std::runtime_error("the server sends malformed RTCP");
        if (const auto* what = std::get_if<What>(&**packet)) found.push_back(*what);
      }
    }
    return found;
  }
  static std::vector<rtp::Packet> packets(const Peer& peer, std::size_t section);

  // The last byte of each packet of video that has come to the viewer since the last call.
  static std::set<char> letters(Peer& viewer);
  // The sources of the key frames that the publisher was asked for since the last call.
  static std::set<std::uint32_t> sources_asked(Peer& publisher);

  // A datagram of somebody else, and what the server sends to those that are no Peer; it comes in
  // the middle of a turn of the server.
  void to_server(dtls::Buffer bytes, const dtls::UdpEndpoint& from);
  std::function<void(dtls::Buffer bytes, const dtls::UdpPath& path)> to_others = {};

  [[nodiscard]] const Counters& counters() const { return sfu.counters(); }
  [[nodiscard]] std::uint64_t count(Refusal why) const {
    return counters().refused.at(static_cast<std::size_t>(why));
  }
  [[nodiscard]] std::uint64_t count(End why) const {
    return counters().ended.at(static_cast<std::size_t>(why));
  }

 protected:
  // Signalling is over: connects.
  Peer& connect(const CreateResult& created);
  // Delivers what is under way, and what follows from it.
  void settle();
  // What peers do beside ICE and media, at each turn. False: nothing.
  virtual bool act() { return false; }

  std::vector<std::unique_ptr<Peer>> peers_;

 private:
  class MemoryOutlet final : public Outlet {
   public:
    explicit MemoryOutlet(SfuWorld& world) : world_(world) {}
    dtls::MutableBytes room(std::size_t size) override { return std::span(bytes_).first(size); }
    void commit(std::size_t size, const dtls::UdpPath& path) override {
      world_.to_peer(dtls::Buffer(bytes_.begin(), bytes_.begin() + static_cast<long>(size)), path);
    }

   private:
    SfuWorld& world_;
    std::array<std::byte, dtls::kMaxDatagram> bytes_{};
  };

  // As one batch, as the server's driver has it.
  void to_server(std::vector<test::IceClient::Outgoing> datagrams, const dtls::UdpEndpoint& from);
  void to_peer(dtls::Buffer bytes, const dtls::UdpPath& path);
  void drain();

 public:
  dtls::Instant now = dtls::Instant(std::chrono::hours{1});

 private:
  SfuOptions options_;
  dtls::ConfigOptions dtls_ = test::options();
  ice_lite::IceLiteServer server_;
  MemoryOutlet outlet_{*this};
  std::vector<std::pair<std::size_t, dtls::Buffer>> under_way_;  // to peers

 public:
  Sfu sfu;
};

}  // namespace sluice::interop::sfu
